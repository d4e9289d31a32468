import { parseTemplate } from '../../model/template/parse-template.ts'
import { renderTemplate } from '../../model/template/render-template.ts'
import { standardFunctions } from '../../model/template/standard-functions.ts'
import type { Node, Template } from '../../model/template/template-ast.ts'
import { errorMessage } from '../../runtime/errors.ts'
import type { Notification, TemplateFile } from '../notifier.ts'
import { DEFAULT_TEMPLATES } from './default-templates.ts'
import { templateData } from './template-data.ts'

/** One text to make: the configured template, or null for the default of that name. */
export interface MessagePart {
  readonly template: string | null
  /** The definition that is used when nothing is configured, or when what is configured fails. */
  readonly fallback: string
  readonly mode: 'text' | 'html'
}

/** Makes the texts of messages from templates; users' files may redefine ours. */
export interface MessageRenderer {
  /**
   * Renders one part. A configured template that fails is replaced by the default and its error is told in `problem`: a message with
   * a plain body is better than none.
   */
  render(
    part: MessagePart,
    notification: Notification,
    nowMs: number,
  ): { readonly text: string; readonly problem: string | null }
}

/** Names of all functions: their values differ with the time of rendering, the names do not. */
const FUNCTION_NAMES: ReadonlySet<string> = new Set(standardFunctions({ nowMs: 0, externalUrl: '' }).keys())
const DEFAULTS = parse(DEFAULT_TEMPLATES, 'default')

/** Reads the files of `templates:`. Throws SyntaxError naming the file and line. */
export function createMessageRenderer(files: readonly TemplateFile[]): MessageRenderer {
  const definitions = new Map<string, readonly Node[]>(DEFAULTS.definitions)
  for (const { path, text } of files) {
    for (const [name, body] of parse(text, path).definitions) definitions.set(name, body)
  }
  return {
    render: ({ template, fallback, mode }, notification, nowMs) => {
      const functions = standardFunctions({ nowMs, externalUrl: notification.externalUrl })
      const data = templateData(notification)
      const make = (parsed: Template, known: ReadonlyMap<string, readonly Node[]>): string =>
        renderTemplate(parsed, { data, functions, mode, definitions: known })
      const call = parse(`{{ template ${JSON.stringify(fallback)} . }}`, fallback)
      try {
        const parsed = template === null ? call : parse(template, fallback)
        return { text: make(parsed, definitions), problem: null }
      } catch (error) {
        return { text: make(call, DEFAULTS.definitions), problem: errorMessage(error) }
      }
    },
  }
}

function parse(text: string, name: string): Template {
  return parseTemplate(text, { name, functions: FUNCTION_NAMES })
}
