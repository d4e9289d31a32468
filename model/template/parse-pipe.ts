import { BUILTIN_NAMES } from './builtin-functions.ts'
import { lexAction, type Token } from './lex-action.ts'
import type { Command, Operand, Pipe } from './template-ast.ts'

/** The variables that are known at a place, with their `$`. */
export type Scope = string[]

const MAX_DEPTH = 50

/**
 * Reads one pipeline; variables it declares are added to `scope`. Throws SyntaxError.
 */
export function parsePipe(source: string, scope: Scope, functions: ReadonlySet<string>): Pipe {
  const tokens = lexAction(source)
  let at = 0

  const peek = (): Token | undefined => tokens[at]
  const skipSpace = (): void => {
    while (peek()?.kind === 'space') at++
  }

  function pipeline(depth: number, isTop: boolean): Pipe {
    if (depth > MAX_DEPTH) throw new SyntaxError('nested too deeply')
    skipSpace()
    const { variables, isAssignment } = isTop ? declarations() : { variables: [], isAssignment: false }
    const commands: Command[] = []
    for (;;) {
      skipSpace()
      const next = peek()
      if (next === undefined || next.kind === 'close') break
      if (next.kind === 'pipe') {
        if (commands.length === 0) throw new SyntaxError('missing value for command')
        at++
        skipSpace()
        const behind = peek()
        if (behind === undefined || behind.kind === 'close')
          throw new SyntaxError('missing value for command')
        continue
      }
      commands.push(command(depth))
    }
    if (commands.length === 0) throw new SyntaxError('missing value for command')
    for (const { operands } of commands.slice(1)) {
      const first = operands[0] as Operand
      if (first.kind === 'literal' || first.kind === 'nil' || first.kind === 'dot') {
        throw new SyntaxError(`non executable command in pipeline stage ${commands.length}`)
      }
    }
    return { variables, isAssignment, commands }
  }

  /** `$x :=`, `$i, $x :=`, `$x =` at the start of a pipeline. */
  function declarations(): { variables: readonly string[]; isAssignment: boolean } {
    const start = at
    const names: string[] = []
    for (;;) {
      skipSpace()
      const name = peek()
      if (name?.kind !== 'variable') break
      at++
      skipSpace()
      const next = peek()
      names.push(name.text)
      if (next?.kind === 'comma' && names.length === 1) {
        at++
        continue
      }
      if (next?.kind === 'declare' || next?.kind === 'assign') {
        at++
        const isAssignment = next.kind === 'assign'
        for (const variable of names) {
          if (isAssignment && !scope.includes(variable))
            throw new SyntaxError(`undefined variable "${variable}"`)
        }
        // The value is read before the new variables are known.
        pending.push(...(isAssignment ? [] : names))
        return { variables: names, isAssignment }
      }
      break
    }
    at = start
    return { variables: [], isAssignment: false }
  }

  function command(depth: number): Command {
    const operands: Operand[] = []
    for (;;) {
      const token = peek()
      if (token === undefined || token.kind === 'close' || token.kind === 'pipe') break
      operands.push(operand(depth))
      const behind = peek()
      if (behind === undefined || behind.kind === 'close' || behind.kind === 'pipe') break
      if (behind.kind !== 'space')
        throw new SyntaxError(`unexpected ${JSON.stringify(behind.text)} in operand`)
      skipSpace()
    }
    return { operands }
  }

  function operand(depth: number): Operand {
    const token = tokens[at++] as Token
    switch (token.kind) {
      case 'string':
      case 'number':
      case 'char':
        return withPath({ kind: 'literal', value: token.value ?? '' }, false)
      case 'dot':
        return { kind: 'dot' }
      case 'field':
        at--
        return { kind: 'field', path: path() }
      case 'variable':
        if (!scope.includes(token.text)) throw new SyntaxError(`undefined variable "${token.text}"`)
        return { kind: 'variable', name: token.text, path: path() }
      case 'open': {
        const inner = pipeline(depth + 1, false)
        if (tokens[at++]?.kind !== 'close') throw new SyntaxError('unclosed left paren')
        return withPath({ kind: 'pipe', pipe: inner }, true)
      }
      case 'identifier':
        return identifier(token.text)
      default:
        throw new SyntaxError(`unexpected ${JSON.stringify(token.text)} in operand`)
    }
  }

  function identifier(name: string): Operand {
    if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true' }
    if (name === 'nil') return { kind: 'nil' }
    if (!functions.has(name) && !BUILTIN_NAMES.has(name))
      throw new SyntaxError(`function "${name}" not defined`)
    return withPath({ kind: 'identifier', name }, true)
  }

  function withPath(base: Operand, isAllowed: boolean): Operand {
    const fields = path()
    if (fields.length === 0) return base
    if (!isAllowed) throw new SyntaxError(`unexpected . after term`)
    return { kind: 'chain', base, path: fields }
  }

  function path(): string[] {
    const fields: string[] = []
    while (peek()?.kind === 'field') fields.push((tokens[at++] as Token).text.slice(1))
    return fields
  }

  const pending: string[] = []
  const pipe = pipeline(0, true)
  if (at < tokens.length) throw new SyntaxError(`unexpected ${JSON.stringify(tokens[at]?.text)} in command`)
  scope.push(...pending)
  return pipe
}
