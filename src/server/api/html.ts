// HTML as text that was escaped where it was made: what is put into a template is text unless it is HTML already.

/** Markup, in contrast to text. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Content = string | number | Html | readonly Content[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escapeText = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

const render = (content: Content): string => {
  if (content instanceof Html) return content.text
  return typeof content === 'object' ? content.map(render).join('') : escapeText(String(content))
}

/** A template of markup; whatever it is given is escaped, in elements and in quoted attributes. */
export const html = (strings: TemplateStringsArray, ...contents: readonly Content[]): Html =>
  new Html(strings.map((markup, index) => markup + render(contents[index] ?? '')).join(''))

/** Prose with `code` in backticks. */
export const prose = (text: string): Content =>
  text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))
