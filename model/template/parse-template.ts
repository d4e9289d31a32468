import { parsePipe, type Scope } from './parse-pipe.ts'
import type { Branch, Node, Pipe, Template } from './template-ast.ts'

/** How to read a template. */
export interface ParseTemplateOptions {
  /** For error messages. */
  readonly name?: string
  /** Names of functions that may be called beside the built-in ones; an unknown function is an error. */
  readonly functions: ReadonlySet<string>
  /** Variables that are set before the template runs, with their `$`. */
  readonly variables?: readonly string[]
}

interface Piece {
  readonly kind: 'text' | 'action'
  readonly text: string
  readonly line: number
}

/** Deeper nesting than anybody writes; bounds the parser's own stack. */
const MAX_DEPTH = 100

/**
 * Reads a template of Go's text/template: actions, pipelines, variables, if, range, with, define, block, template, break,
 * continue, comments and trim markers. Throws SyntaxError: `template: NAME:LINE: …`, worded as Go does where people search for it.
 */
export function parseTemplate(text: string, options: ParseTemplateOptions): Template {
  const name = options.name ?? ''
  const pieces = splitPieces(text, name)
  const definitions = new Map<string, readonly Node[]>()
  let at = 0

  function fail(line: number, message: string): never {
    throw new SyntaxError(`template: ${name}:${line}: ${message}`)
  }

  function pipe(source: string, line: number, scope: Scope): Pipe {
    try {
      return parsePipe(source, scope, options.functions)
    } catch (error) {
      return fail(line, error instanceof SyntaxError ? error.message : String(error))
    }
  }

  /** Reads nodes up to an action that ends the list, which is returned with it. */
  function list(
    scope: Scope,
    depth: number,
    loops: number,
  ): { nodes: Node[]; end: string; rest: string; line: number } {
    const nodes: Node[] = []
    if (depth > MAX_DEPTH) fail(pieces[at]?.line ?? 0, 'nested too deeply')
    while (at < pieces.length) {
      const piece = pieces[at++] as Piece
      if (piece.kind === 'text') {
        if (piece.text !== '') nodes.push({ kind: 'text', text: piece.text })
        continue
      }
      const { line } = piece
      const [, keyword = '', rest = ''] = /^\s*([a-z]*)\b\s*([\s\S]*)$/.exec(piece.text) ?? [
        '',
        '',
        piece.text,
      ]
      switch (keyword) {
        case 'end':
        case 'else':
          return { nodes, end: keyword, rest: rest.trim(), line }
        case 'if':
        case 'with':
          nodes.push(conditional(keyword, rest, line, scope, depth, loops))
          break
        case 'range':
          nodes.push(range(rest, line, scope, depth, loops))
          break
        case 'define':
          define(quotedName(rest, line), line, depth)
          break
        case 'block': {
          const [, quoted = '', argument = ''] = /^("(?:[^"\\]|\\.)*"|`[^`]*`)\s*([\s\S]*)$/.exec(rest) ?? []
          const blockName = quotedName(quoted, line)
          const argumentPipe = pipe(argument, line, scope)
          define(blockName, line, depth)
          nodes.push({ kind: 'template', name: blockName, pipe: argumentPipe, line })
          break
        }
        case 'template': {
          const [, quoted = '', argument = ''] = /^("(?:[^"\\]|\\.)*"|`[^`]*`)\s*([\s\S]*)$/.exec(rest) ?? []
          const target = quotedName(quoted, line)
          nodes.push({
            kind: 'template',
            name: target,
            pipe: argument === '' ? null : pipe(argument, line, scope),
            line,
          })
          break
        }
        case 'break':
        case 'continue':
          if (loops === 0) fail(line, `{{${keyword}}} outside {{range}}`)
          if (rest.trim() !== '') fail(line, `unexpected ${JSON.stringify(rest.trim())} in {{${keyword}}}`)
          nodes.push({ kind: keyword, line })
          break
        default:
          nodes.push({ kind: 'action', pipe: pipe(piece.text, line, scope), line })
      }
    }
    return { nodes, end: '', rest: '', line: pieces.at(-1)?.line ?? 1 }
  }

  function conditional(
    kind: 'if' | 'with',
    source: string,
    line: number,
    scope: Scope,
    depth: number,
    loops: number,
  ): Node {
    const branches: Branch[] = []
    const inner: Scope = [...scope]
    let condition = source
    for (;;) {
      const branchPipe = pipe(condition, line, inner)
      const body = list([...inner], depth + 1, loops)
      branches.push({ pipe: branchPipe, body: body.nodes })
      if (body.end === 'end') return { kind, branches, otherwise: [], line }
      if (body.end !== 'else') fail(line, 'unexpected EOF')
      const [, again = '', next = ''] = /^(if|with)\b\s*([\s\S]*)$/.exec(body.rest) ?? []
      if (again === '') {
        if (body.rest !== '') fail(body.line, `unexpected ${JSON.stringify(body.rest)} in else`)
        const otherwise = list([...inner], depth + 1, loops)
        if (otherwise.end !== 'end')
          fail(otherwise.line, otherwise.end === '' ? 'unexpected EOF' : 'expected end; found {{else}}')
        return { kind, branches, otherwise: otherwise.nodes, line }
      }
      if (again !== kind) {
        // {{else with}} in an if (or the reverse) is a conditional of its own inside the else.
        const nested = conditional(again as 'if' | 'with', next, body.line, inner, depth + 1, loops)
        return { kind, branches, otherwise: [nested], line }
      }
      condition = next
    }
  }

  function range(source: string, line: number, scope: Scope, depth: number, loops: number): Node {
    const inner: Scope = [...scope]
    const rangePipe = pipe(source, line, inner)
    const body = list([...inner], depth + 1, loops + 1)
    if (body.end === 'end') return { kind: 'range', pipe: rangePipe, body: body.nodes, otherwise: [], line }
    if (body.end !== 'else' || body.rest !== '')
      fail(body.line, body.end === '' ? 'unexpected EOF' : 'unexpected else in range')
    const otherwise = list([...inner], depth + 1, loops)
    if (otherwise.end !== 'end')
      fail(otherwise.line, otherwise.end === '' ? 'unexpected EOF' : 'expected end; found {{else}}')
    return { kind: 'range', pipe: rangePipe, body: body.nodes, otherwise: otherwise.nodes, line }
  }

  function define(definition: string, line: number, depth: number): void {
    const body = list(['$'], depth + 1, 0)
    if (body.end !== 'end')
      fail(line, body.end === '' ? 'unexpected EOF' : 'unexpected {{else}} in define clause')
    definitions.set(definition, body.nodes)
  }

  function quotedName(source: string, line: number): string {
    const match = /^\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)\s*$/.exec(source)
    if (match === null) fail(line, `unexpected ${JSON.stringify(source.trim())} in template clause`)
    return (match as RegExpExecArray)[1] ?? (match as RegExpExecArray)[2] ?? ''
  }

  const main = list(['$', ...(options.variables ?? [])], 0, 0)
  if (main.end !== '') fail(main.line, `unexpected {{${main.end}}}`)
  return { name, body: main.nodes, definitions }
}

/** Cuts the text at its actions, with trim markers applied and comments left out. */
function splitPieces(text: string, name: string): Piece[] {
  const pieces: Piece[] = []
  let line = 1
  let at = 0
  let isTrimming = false
  const addText = (raw: string, isTrimmedBehind: boolean): void => {
    let kept = isTrimming ? raw.replace(/^\s+/, '') : raw
    if (isTrimmedBehind) kept = kept.replace(/\s+$/, '')
    pieces.push({ kind: 'text', text: kept, line })
    line += countLines(raw)
  }
  for (;;) {
    const open = text.indexOf('{{', at)
    if (open < 0) {
      addText(text.slice(at), false)
      return pieces
    }
    const isTrimmedBefore = /^-\s/.test(text.slice(open + 2, open + 4))
    addText(text.slice(at, open), isTrimmedBefore)
    const start = open + (isTrimmedBefore ? 3 : 2)
    const comment = /^\s*\/\*/.exec(text.slice(start, start + 200))
    const close = comment === null ? actionEnd(text, start) : commentEnd(text, start)
    if (close < 0) {
      throw new SyntaxError(
        `template: ${name}:${line}: ${comment === null ? 'unclosed action' : 'unclosed comment'}`,
      )
    }
    const raw = text.slice(start, close)
    isTrimming = /\s-$/.test(raw)
    if (comment === null) pieces.push({ kind: 'action', text: isTrimming ? raw.slice(0, -1) : raw, line })
    line += countLines(raw)
    at = close + 2
  }
}

/** Where `}}` closes the action: not inside a string. */
function actionEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (char === '}' && text[at + 1] === '}') return at
    if (char === '"' || char === '`' || char === "'") {
      const end = stringEnd(text, at, char)
      if (end < 0) return -1
      at = end
    }
  }
  return -1
}

function stringEnd(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\' && quote !== '`') at++
    else if (text[at] === quote) return at
    else if (text[at] === '\n' && quote !== '`') return -1
  }
  return -1
}

function commentEnd(text: string, start: number): number {
  const end = text.indexOf('*/', start)
  if (end < 0) return -1
  const close = /^\s*(?:-)?\}\}/.exec(text.slice(end + 2, end + 2 + 200))
  return close === null ? -1 : end + 2 + close[0].length - 2
}

function countLines(text: string): number {
  let lines = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++
  return lines
}
