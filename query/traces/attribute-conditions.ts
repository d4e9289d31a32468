import type { BoundSql } from './bound-sql.ts'
import type { AttributeEquals } from './trace-filter.ts'

/**
 * Conditions that an attribute has a value. `name` is the prefix of the two parameters, see {@link bindAttribute};
 * an empty value is not the same as a missing key, although a map answers both with ''.
 */

/** The row's own `attrs` have it. The first condition is what the bloom filter over `mapValues(attrs)` decides. */
export function ownAttribute(name: string, attribute: AttributeEquals): string {
  const sql = `has(mapValues(attrs), {${name}Value:String}) AND attrs[{${name}Key:String}] = {${name}Value:String}`
  return attribute.value === '' ? `${sql} AND mapContains(attrs, {${name}Key:String})` : sql
}

/** The resource of the row's origin has it. */
export function resourceAttribute(name: string, attribute: AttributeEquals): string {
  return `origin GLOBAL IN (SELECT id FROM origins WHERE tenant = {tenant:String} AND ${originAttribute(name, attribute)})`
}

/** Where an attribute can be: on the row itself, in its resource, or in either. */
export type AttributePlace = 'own' | 'resource' | 'both'

/** The row or its resource has it, as far as `place` says that they can. */
export function anyAttribute(name: string, attribute: AttributeEquals, place: AttributePlace): string {
  if (place === 'own') return ownAttribute(name, attribute)
  if (place === 'resource') return resourceAttribute(name, attribute)
  return `((${ownAttribute(name, attribute)}) OR ${resourceAttribute(name, attribute)})`
}

/** A row of `origins` has it in its resource. */
export function originAttribute(name: string, attribute: AttributeEquals): string {
  const sql = `resource_attrs[{${name}Key:String}] = {${name}Value:String}`
  return attribute.value === '' ? `${sql} AND mapContains(resource_attrs, {${name}Key:String})` : sql
}

/** The parameters of a condition. */
export function bindAttribute(name: string, { key, value }: AttributeEquals): BoundSql['params'] {
  return { [`${name}Key`]: key, [`${name}Value`]: value }
}
