import { quoteText } from '../../model/labels.ts'
import { unquoteGo } from '../../model/unquote-go.ts'
import type { VectorMatching } from './ast.ts'
import { parseError } from './parse-error.ts'
import { readNumberToken } from './parse-number.ts'
import type { ParserState } from './parser-state.ts'
import type { Token } from './token.ts'

/** What may stand between a binary operator and its right side. */
export interface BinaryModifiers {
  readonly returnBool: boolean
  readonly matching: VectorMatching
}

/** Reads `bool`, `on`, `ignoring`, `group_left`, `group_right`, `fill…`. Throws AppError QUERY_PARSE_FAILED. */
export function parseBinaryModifiers(state: ParserState): BinaryModifiers {
  const { cursor } = state
  const returnBool = cursor.accept('bool')
  let card: VectorMatching['card'] = 'one-to-one'
  let labels: readonly string[] = []
  let include: readonly string[] = []
  const isOn = cursor.isNext('on')
  if (isOn || cursor.isNext('ignoring')) {
    cursor.next()
    labels = parseGrouping(state)
    const isLeft = cursor.isNext('group_left')
    if (isLeft || cursor.isNext('group_right')) {
      cursor.next()
      card = isLeft ? 'many-to-one' : 'one-to-many'
      if (cursor.isNext('(')) include = parseGrouping(state)
    }
  }
  return { returnBool, matching: { card, isOn, labels, include, ...parseFill(state) } }
}

/** Reads the list of labels of `by`, `on`, `group_left` …, in parentheses. Throws AppError QUERY_PARSE_FAILED. */
export function parseGrouping(state: ParserState): readonly string[] {
  const { cursor } = state
  if (!cursor.accept('(')) throw cursor.unexpected('grouping opts', '"("')
  const labels: string[] = []
  while (!cursor.accept(')')) {
    const label = cursor.peek()
    const name = labelName(label)
    if (name === null) throw cursor.unexpected('grouping opts', 'label')
    cursor.next()
    if (name === '') {
      throw parseError(cursor.text, label, `invalid label name for grouping: ${quoteText(name)}`)
    }
    labels.push(name)
    if (!cursor.accept(',') && !cursor.isNext(')')) throw cursor.unexpected('grouping opts', '"," or ")"')
  }
  return labels
}

function labelName(token: Token): string | null {
  switch (token.kind) {
    case 'string':
      return unquoteGo(token.text)
    case 'identifier':
    case 'metricIdentifier':
    case 'aggregator':
    case 'preprocessor':
      return token.text
    case 'keyword':
      // Prometheus takes every word of the language but this one.
      return token.word === 'without' ? null : token.text
    case 'operator':
      return /^[a-z]/.test(token.word) ? token.text : null
    default:
      return null
  }
}

function parseFill(state: ParserState): Pick<VectorMatching, 'fillLeft' | 'fillRight'> {
  const { cursor } = state
  const first = cursor.peek()
  let fillLeft: number | null = null
  let fillRight: number | null = null
  if (cursor.accept('fill')) {
    fillLeft = parseFillValue(state)
    fillRight = fillLeft
  } else {
    const isLeftFirst = cursor.isNext('fill_left')
    if (cursor.accept('fill_left')) fillLeft = parseFillValue(state)
    if (cursor.accept('fill_right')) fillRight = parseFillValue(state)
    if (!isLeftFirst && cursor.accept('fill_left')) fillLeft = parseFillValue(state)
  }
  if (!state.allowExperimental && (fillLeft !== null || fillRight !== null)) {
    throw parseError(cursor.text, first, 'binop fill modifiers are experimental and not enabled')
  }
  return { fillLeft, fillRight }
}

function parseFillValue(state: ParserState): number {
  const { cursor } = state
  if (!cursor.accept('(')) throw cursor.unexpected('fill modifier', '"("')
  const sign = cursor.accept('-') ? -1 : 1
  if (sign === 1) cursor.accept('+')
  const token = cursor.peek()
  if (token.kind !== 'number' && token.kind !== 'duration') throw cursor.unexpected('fill modifier', 'number')
  cursor.next()
  const value = sign * readNumberToken(cursor.text, token)
  if (!cursor.accept(')')) throw cursor.unexpected('fill modifier', '")"')
  return value
}
