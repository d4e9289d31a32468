/** A parsed template: the main text and everything it defines. */
export interface Template {
  readonly name: string
  readonly body: readonly Node[]
  readonly definitions: ReadonlyMap<string, readonly Node[]>
}

/** A part of a template's text. `line` counts from 1. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe; readonly line: number }
  | {
      readonly kind: 'if' | 'with'
      readonly branches: readonly Branch[]
      readonly otherwise: readonly Node[]
      readonly line: number
    }
  | {
      readonly kind: 'range'
      readonly pipe: Pipe
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
      readonly line: number
    }
  | { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | null; readonly line: number }
  | { readonly kind: 'break' | 'continue'; readonly line: number }

/** One condition of an if (or with) and what it guards. */
export interface Branch {
  readonly pipe: Pipe
  readonly body: readonly Node[]
}

/** Commands joined by `|`, whose result may be given to variables. */
export interface Pipe {
  readonly variables: readonly string[]
  /** `=` instead of `:=`. */
  readonly isAssignment: boolean
  readonly commands: readonly Command[]
}

/** A value, or a function or method with arguments. */
export interface Command {
  readonly operands: readonly Operand[]
}

/** What a command is made of. */
export type Operand =
  | { readonly kind: 'dot' }
  | { readonly kind: 'nil' }
  | { readonly kind: 'literal'; readonly value: string | number | bigint | boolean }
  | { readonly kind: 'identifier'; readonly name: string }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'chain'; readonly base: Operand; readonly path: readonly string[] }
  | { readonly kind: 'pipe'; readonly pipe: Pipe }
