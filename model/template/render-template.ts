import { BUILTIN_FUNCTIONS, escapeHtml } from './builtin-functions.ts'
import { formatValue } from './format-value.ts'
import { isUrlAllowed, urlAttributeAt } from './html-context.ts'
import type { Command, Node, Operand, Pipe, Template } from './template-ast.ts'
import { timeMethod } from './time-method.ts'
import { contentOf, isEmpty, type TemplateFunction, typeName, type Value } from './value.ts'

/** What to render with. */
export interface RenderTemplateOptions {
  readonly data: Value
  /** Beside the built-in ones. What they throw becomes an error of the template. */
  readonly functions: ReadonlyMap<string, TemplateFunction>
  /** `html`: every value is escaped for where it stands; links to anything but http, https and mailto are taken out. */
  readonly mode: 'text' | 'html'
  /** Variables that are set before the template runs, with their `$`. */
  readonly variables?: ReadonlyMap<string, Value>
  /** Definitions the template may call beside its own (its own win). */
  readonly definitions?: ReadonlyMap<string, readonly Node[]>
  /** Default 256 KiB. */
  readonly maxOutputBytes?: number
  /** Actions, loop rounds and calls. Default 100,000. */
  readonly maxSteps?: number
}

const MAX_CALL_DEPTH = 50

/** A template that cannot be rendered: `template: NAME:LINE: …`. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

type Flow = 'next' | 'break' | 'continue'

interface Variable {
  readonly name: string
  value: Value
}

/** Renders a template. Throws TemplateError when a value does not fit, or a bound is passed. */
export function renderTemplate(template: Template, options: RenderTemplateOptions): string {
  const maxOutput = options.maxOutputBytes ?? 262_144
  let stepsLeft = options.maxSteps ?? 100_000
  let output = ''
  let line = 1
  let callDepth = 0

  function fail(message: string): never {
    throw new TemplateError(`template: ${template.name}:${line}: ${message}`)
  }

  function write(text: string): void {
    output += text
    if (output.length > maxOutput) fail(`the output is longer than ${maxOutput} bytes`)
  }

  function step(): void {
    if (--stepsLeft < 0) fail('it takes too many steps')
  }

  function walk(nodes: readonly Node[], dot: Value, scope: Variable[]): Flow {
    for (const node of nodes) {
      if (node.kind === 'text') {
        write(node.text)
        continue
      }
      line = node.line
      step()
      const flow = walkAction(node, dot, scope)
      if (flow !== 'next') return flow
    }
    return 'next'
  }

  function walkAction(node: Exclude<Node, { kind: 'text' }>, dot: Value, scope: Variable[]): Flow {
    switch (node.kind) {
      case 'action': {
        const value = evaluatePipe(node.pipe, dot, scope)
        if (node.pipe.variables.length === 0) print(value)
        return 'next'
      }
      case 'if':
      case 'with': {
        const inner = [...scope]
        for (const branch of node.branches) {
          const value = evaluatePipe(branch.pipe, dot, inner)
          if (!isEmpty(value)) return walk(branch.body, node.kind === 'with' ? value : dot, inner)
        }
        return walk(node.otherwise, dot, inner)
      }
      case 'range':
        return walkRange(node, dot, scope)
      case 'template':
        callDefinition(node.name, node.pipe === null ? null : evaluatePipe(node.pipe, dot, scope))
        return 'next'
      default:
        return node.kind
    }
  }

  function walkRange(node: Extract<Node, { kind: 'range' }>, dot: Value, scope: Variable[]): Flow {
    const inner = [...scope]
    const declared = { ...node.pipe, variables: [] }
    const items = itemsOf(evaluatePipe(declared, dot, inner))
    if (items.length === 0) return walk(node.otherwise, dot, inner)
    const { variables } = node.pipe
    for (const [key, item] of items) {
      step()
      const round = [...inner]
      const values = variables.length === 2 ? [key, item] : [item]
      variables.forEach((name, index) => {
        if (node.pipe.isAssignment) assign(round, name, values[index] ?? null)
        else round.push({ name, value: values[index] ?? null })
      })
      if (walk(node.body, item, round) === 'break') break
    }
    return 'next'
  }

  function itemsOf(outer: Value): (readonly [Value, Value])[] {
    const value = contentOf(outer)
    if (value === null) return []
    if (Array.isArray(value)) return value.map((item: Value, index): [Value, Value] => [BigInt(index), item])
    if (value instanceof Map) {
      const entries = [...(value as ReadonlyMap<string, Value>)]
      return entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    }
    if (typeof value === 'bigint') {
      const count = value > 0n ? Number(value) : 0
      if (count > stepsLeft) fail('it takes too many steps')
      return Array.from({ length: count }, (_, index): [Value, Value] => [BigInt(index), BigInt(index)])
    }
    return fail(`range can't iterate over ${formatValue(value)}`)
  }

  function callDefinition(name: string, data: Value): void {
    const body = template.definitions.get(name) ?? options.definitions?.get(name)
    if (body === undefined) fail(`template "${name}" not defined`)
    if (++callDepth > MAX_CALL_DEPTH) fail('templates call each other too deeply')
    walk(body as readonly Node[], data, [{ name: '$', value: data }])
    callDepth--
  }

  function print(value: Value): void {
    if (typeof value === 'function') fail(`can't print a function`)
    const text = formatValue(value)
    if (options.mode === 'text') {
      write(text)
      return
    }
    const isSafe =
      typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'safe-html'
    const context = urlAttributeAt(output)
    if (context === 'forbidden') fail('a value cannot stand inside a script, a style or an event handler')
    if (context === 'url' && !isUrlAllowed(text)) write('#blocked')
    else write(isSafe && context !== 'url' ? text : escapeHtml(text))
  }

  function assign(scope: Variable[], name: string, value: Value): void {
    const variable = scope.findLast((candidate) => candidate.name === name)
    if (variable === undefined) fail(`undefined variable "${name}"`)
    ;(variable as Variable).value = value
  }

  function evaluatePipe(pipe: Pipe, dot: Value, scope: Variable[]): Value {
    let value: Value | undefined
    for (const command of pipe.commands) {
      step()
      value = evaluateCommand(command, dot, scope, value)
    }
    const result = value ?? null
    for (const name of pipe.variables) {
      if (pipe.isAssignment) assign(scope, name, result)
      else scope.push({ name, value: result })
    }
    return result
  }

  function evaluateCommand(command: Command, dot: Value, scope: Variable[], piped: Value | undefined): Value {
    const [first, ...rest] = command.operands as readonly [Operand, ...Operand[]]
    if (first.kind === 'identifier') return callFunction(first.name, rest, dot, scope, piped)
    const isCall = rest.length > 0 || piped !== undefined
    if (!isCall) return evaluateOperand(first, dot, scope)
    if (first.kind !== 'field' && first.kind !== 'chain' && first.kind !== 'variable') {
      return fail(`can't give argument to non-function ${operandText(first)}`)
    }
    const args = [
      ...rest.map((operand) => evaluateOperand(operand, dot, scope)),
      ...(piped === undefined ? [] : [piped]),
    ]
    const callee = resolvePath(baseOf(first, dot, scope), first.path, false)
    if (typeof callee !== 'function')
      return fail(`${operandText(first)} has arguments but cannot be invoked as function`)
    return invoke(operandText(first), callee, args)
  }

  function callFunction(
    name: string,
    operands: readonly Operand[],
    dot: Value,
    scope: Variable[],
    piped: Value | undefined,
  ): Value {
    if (name === 'and' || name === 'or') return decide(name, operands, dot, scope, piped)
    const callee = options.functions.get(name) ?? BUILTIN_FUNCTIONS.get(name)
    if (callee === undefined) return fail(`function "${name}" not defined`)
    const args = [
      ...operands.map((operand) => evaluateOperand(operand, dot, scope)),
      ...(piped === undefined ? [] : [piped]),
    ]
    return invoke(name, callee, args)
  }

  function decide(
    name: 'and' | 'or',
    operands: readonly Operand[],
    dot: Value,
    scope: Variable[],
    piped: Value | undefined,
  ): Value {
    let value: Value = null
    for (const operand of operands) {
      value = evaluateOperand(operand, dot, scope)
      if (isEmpty(value) === (name === 'and')) return value
    }
    return piped ?? value
  }

  function invoke(name: string, callee: TemplateFunction, args: readonly Value[]): Value {
    step()
    try {
      return callee(...args)
    } catch (error) {
      if (error instanceof TemplateError) throw error
      return fail(`error calling ${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  function evaluateOperand(operand: Operand, dot: Value, scope: Variable[]): Value {
    switch (operand.kind) {
      case 'dot':
        return dot
      case 'nil':
        return null
      case 'literal':
        return operand.value
      case 'pipe':
        return evaluatePipe(operand.pipe, dot, [...scope])
      case 'identifier':
        return callFunction(operand.name, [], dot, scope, undefined)
      default:
        return resolvePath(baseOf(operand, dot, scope), operand.path, true)
    }
  }

  function baseOf(
    operand: Extract<Operand, { kind: 'field' | 'chain' | 'variable' }>,
    dot: Value,
    scope: Variable[],
  ): Value {
    if (operand.kind === 'field') return dot
    if (operand.kind === 'chain') return evaluateOperand(operand.base, dot, scope)
    const variable = scope.findLast((candidate) => candidate.name === operand.name)
    if (variable === undefined) return fail(`undefined variable "${operand.name}"`)
    return variable.value
  }

  /** Follows fields; methods on the way are called without arguments, the last one only when `isCalled`. */
  function resolvePath(base: Value, path: readonly string[], isCalled: boolean): Value {
    let value = base
    path.forEach((name, index) => {
      value = fieldOf(value, name)
      if (typeof value === 'function' && (isCalled || index < path.length - 1))
        value = invoke(name, value, [])
    })
    return value
  }

  function fieldOf(value: Value, name: string): Value {
    if (value instanceof Map) return (value as ReadonlyMap<string, Value>).get(name) ?? ''
    if (typeof value === 'object' && value !== null && 'kind' in value) {
      if (value.kind === 'struct') {
        const field = value.fields.get(name)
        if (field !== undefined) return field
        if (value.content instanceof Map) return (value.content as ReadonlyMap<string, Value>).get(name) ?? ''
      } else if (value.kind === 'time') {
        const method = timeMethod(value, name)
        if (method !== null) return method
      }
    }
    if (value === null) return fail(`nil pointer evaluating interface {}.${name}`)
    return fail(`can't evaluate field ${name} in type ${typeName(value)}`)
  }

  walk(template.body, options.data, initialScope(options))
  return output
}

function initialScope(options: RenderTemplateOptions): Variable[] {
  const scope: Variable[] = [{ name: '$', value: options.data }]
  for (const [name, value] of options.variables ?? []) scope.push({ name, value })
  return scope
}

function operandText(operand: Operand): string {
  switch (operand.kind) {
    case 'field':
      return `.${operand.path.join('.')}`
    case 'variable':
      return [operand.name, ...operand.path].join('.')
    case 'chain':
      return `.${operand.path.join('.')}`
    case 'literal':
      return String(operand.value)
    default:
      return operand.kind
  }
}
