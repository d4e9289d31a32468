import type { SeededRandom } from './seeded-random.ts'

type Mutation = (bytes: Buffer, random: SeededRandom) => Buffer

/** Ways to spoil any bytes. */
const BYTE_MUTATIONS: Readonly<Record<string, Mutation>> = {
  flips: (bytes, random) => {
    const copy = Buffer.from(bytes)
    for (let count = 1 + random.below(8); count > 0 && copy.length > 0; count--) {
      const at = random.below(copy.length)
      copy[at] = (copy[at] as number) ^ (1 << random.below(8))
    }
    return copy
  },
  truncation: (bytes, random) => Buffer.from(bytes.subarray(0, random.below(bytes.length + 1))),
  hole: (bytes, random) => {
    const from = random.below(bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + random.below(32))])
  },
  zeros: (bytes, random) => {
    const copy = Buffer.from(bytes)
    const from = random.below(copy.length + 1)
    return copy.fill(random.pick([0, 0xff]), from, Math.min(copy.length, from + random.below(64)))
  },
  repetition: (bytes, random) => {
    const from = random.below(bytes.length + 1)
    const piece = bytes.subarray(from, from + random.below(400))
    const to = random.pick([from, random.below(bytes.length + 1)])
    return splice(bytes, to, Buffer.concat(Array.from({ length: 1 + random.below(5) }, () => piece)))
  },
  twice: (bytes) => Buffer.concat([bytes, bytes]),
  noise: (_bytes, random) => noise(random, random.below(300)),
}

const PROTOBUF_MUTATIONS: Readonly<Record<string, Mutation>> = {
  ...BYTE_MUTATIONS,
  // Any byte may be a length; the small ones mostly are.
  'wrong length': (bytes, random) => {
    const copy = Buffer.from(bytes)
    const lengths = [...copy.keys()].filter((at) => (copy[at] as number) > 1 && (copy[at] as number) < 128)
    if (lengths.length === 0) return copy
    const at = random.pick(lengths)
    copy[at] = random.pick([(copy[at] as number) + 1, (copy[at] as number) - 1, 0, 127, random.below(128)])
    return copy
  },
  'huge number': (bytes, random) =>
    splice(
      bytes,
      random.below(bytes.length + 1),
      Buffer.concat([
        Buffer.alloc(random.pick([4, 8, 9, 9, 10, 40]), 0xff),
        Buffer.from([random.pick([1, 0x7f])]),
      ]),
    ),
  'unknown field': (bytes, random) =>
    splice(bytes, random.pick([0, bytes.length]), Buffer.from([0xfa, 0x7f, 0x03, 1, 2, 3])),
  groups: (bytes, random) => {
    const depth = random.pick([1, 31, 33, 1000, 100_000])
    return Buffer.concat([Buffer.alloc(depth, 0x5b), Buffer.alloc(depth - random.below(2), 0x5c), bytes])
  },
  'deep nesting': (bytes, random) => Buffer.concat([bytes, random.pick(deepResources())]),
}

const JSON_VALUES = [
  'null',
  '[]',
  '{}',
  '""',
  '"x"',
  'true',
  '-1',
  '0.5',
  '1e999',
  '99999999999999999999999999',
  '"-9223372036854775809"',
  '"NaN"',
  '"\\ud800"',
  '{"__proto__":{"x":1}}',
  '{"constructor":1,"toString":2}',
  '[null]',
  '[[]]',
]

const JSON_MUTATIONS: Readonly<Record<string, Mutation>> = {
  ...BYTE_MUTATIONS,
  'other value': (bytes, random) => replaceValue(bytes, random, random.pick(JSON_VALUES)),
  'other values': (bytes, random) => {
    let text = bytes
    for (let count = 1 + random.below(6); count > 0; count--)
      text = replaceValue(text, random, random.pick(JSON_VALUES))
    return text
  },
  'long number': (bytes, random) =>
    replaceValue(bytes, random, '9'.repeat(random.pick([17, 30, 400, 10_000]))),
  'repeated key': (bytes, random) => {
    const keys = [...bytes.toString('latin1').matchAll(/"\w+":/g)]
    if (keys.length === 0) return bytes
    const { index, 0: key } = random.pick(keys)
    return splice(bytes, index, Buffer.from(`${key}${random.pick(JSON_VALUES)},`))
  },
  'deep nesting': (bytes, random) => {
    const depth = random.pick([10, 319, 321, 5000, 100_000])
    const [open, close] = random.pick([
      ['[', ']'],
      ['{"arrayValue":{"values":[', ']}}'],
      ['{"kvlistValue":{"values":[{"key":"k","value":', '}]}}'],
    ] as const)
    return replaceValue(bytes, random, `${open.repeat(depth)}${close.repeat(depth - random.below(2))}`)
  },
  'bad text': (bytes, random) =>
    splice(bytes, random.below(bytes.length + 1), random.pick([Buffer.from([0xc3, 0x28]), noise(random, 4)])),
}

/** A spoilt message and how it was spoilt. */
export interface MutatedMessage {
  readonly bytes: Buffer
  readonly how: string
}

/** Spoils a message in one way, sometimes two. The result may by chance be a good message. */
export function mutateMessage(
  bytes: Buffer,
  form: 'protobuf' | 'json',
  random: SeededRandom,
): MutatedMessage {
  const mutations = Object.entries(form === 'json' ? JSON_MUTATIONS : PROTOBUF_MUTATIONS)
  const [first, mutate] = random.pick(mutations)
  const once = mutate(bytes, random)
  if (random.below(5) > 0) return { bytes: once, how: first }
  const [second, mutateAgain] = random.pick(mutations)
  return { bytes: mutateAgain(once, random), how: `${first}, ${second}` }
}

function splice(bytes: Buffer, at: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
}

function noise(random: SeededRandom, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)))
}

/** Puts `value` where some member's value stood; the rest of the old value stays when it was a list or an object. */
function replaceValue(bytes: Buffer, random: SeededRandom, value: string): Buffer {
  const text = bytes.toString('latin1')
  const members = [...text.matchAll(/":(?:"[^"]*"|[-\w.]+)|":[[{]+/g)]
  if (members.length === 0) return Buffer.from(value, 'latin1')
  const { index, 0: member } = random.pick(members)
  return Buffer.from(`${text.slice(0, index)}":${value}${text.slice(index + member.length)}`, 'latin1')
}

function field(number: number, value: Buffer): Buffer {
  const head: number[] = [(number << 3) | 2]
  let { length } = value
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([...head, length]), value])
}

let cachedResources: readonly Buffer[] | undefined

/** Resources (field 1 of a request) with an attribute of nested arrays and maps. */
function deepResources(): readonly Buffer[] {
  cachedResources ??= [2, 31, 32, 33, 200, 5000].flatMap((depth) =>
    // Field 5 of AnyValue is an array, field 6 a map; field 1 of both is repeated, and a map's holds the value as field 2.
    [5, 6].map((kind) => {
      let value = field(1, Buffer.from('leaf'))
      for (let level = 0; level < depth; level++) {
        value = field(kind, field(1, kind === 5 ? value : field(2, value)))
      }
      const attribute = Buffer.concat([field(1, Buffer.from('deep')), field(2, value)])
      return field(1, field(1, field(1, attribute)))
    }),
  )
  return cachedResources
}
