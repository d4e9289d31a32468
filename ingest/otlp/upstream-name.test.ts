import { expect, test } from 'vitest'
import { hostOfAuthority, hostOfUrl, serviceOfCluster, serviceOfHost } from './upstream-name.ts'

test.each([
  ['outbound|8080|v1|reviews.shop.svc.cluster.local', 'reviews.shop'],
  ['outbound|8080||api.example.com', 'api.example.com'],
  ['outbound_.8080_.v1_.reviews.shop.svc.cluster.local', 'reviews.shop'],
  ['outbound_.8080_._.reviews.shop.svc.cluster.local', 'reviews.shop'],
  ['outbound|8080||', 'outbound|8080||'],
  ['inbound|8080||', 'inbound|8080||'],
  ['backend', 'backend'],
  ['', ''],
])('the service of the cluster %j is %j', (cluster, service) => {
  expect(serviceOfCluster(cluster)).toBe(service)
})

test.each([
  ['Reviews.shop.svc.cluster.local', 'reviews.shop'],
  ['reviews.shop.svc', 'reviews.shop'],
  ['reviews.shop', 'reviews.shop'],
  ['.svc.cluster.local', '.svc.cluster.local'],
  ['10.0.0.1', '10.0.0.1'],
])('the service of the host %j is %j', (host, service) => {
  expect(serviceOfHost(host)).toBe(service)
})

test.each([
  ['cart:8080', 'cart'],
  ['cart', 'cart'],
  ['[2001:db8::1]:8080', '2001:db8::1'],
  ['2001:db8::1', '2001:db8::1'],
])('the host of the authority %j is %j', (authority, host) => {
  expect(hostOfAuthority(authority)).toBe(host)
})

test.each([
  ['http://cart:8080/x?y=http://else/', 'cart'],
  ['https://user:secret@cart/x', 'cart'],
  ['https://[2001:db8::1]:8080', '2001:db8::1'],
  ['/only/a/path', ''],
  ['', ''],
])('the host of the URL %j is %j', (url, host) => {
  expect(hostOfUrl(url)).toBe(host)
})
