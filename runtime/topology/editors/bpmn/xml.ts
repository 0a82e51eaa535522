/**
 * XML text → a tree that keeps order, comments and prefixes, and back. For texts that may be hostile: no document types, hence no entities
 * but the five of XML, and limits on size, depth and the number of elements.
 */
import { SaxesParser } from 'saxes'
import type { Fault } from '../../../errors.ts'

const textMaxBytes = 1024 * 1024
const depthMax = 32
const elementsMax = 20_000
const attributesMax = 200
const faultsMax = 10

export interface Element {
  /** As written: `bpmn:task`. */
  name: string
  /** The name with the prefix that this engine uses for its namespace, whatever the text calls it. */
  readonly kind: string
  readonly line: number
  readonly attributes: Attribute[]
  readonly children: Child[]
}

export interface Attribute {
  readonly name: string
  readonly kind: string
  value: string
}

type Child = Element | { readonly text: string } | { readonly comment: string }

export const namespaces: Readonly<Record<string, string>> = {
  bpmn: 'http://www.omg.org/spec/BPMN/20100524/MODEL',
  bpmndi: 'http://www.omg.org/spec/BPMN/20100524/DI',
  dc: 'http://www.omg.org/spec/DD/20100524/DC',
  di: 'http://www.omg.org/spec/DD/20100524/DI',
  pipes: 'http://www.omg.org/spec/Pipes/20100524/MODEL',
}
const prefixOf = new Map(Object.entries(namespaces).map(([prefix, uri]) => [uri, prefix]))

class Refused extends Error {}

/** Reads one document; with faults there is no root. `source` names the text in messages. Never throws. */
export function parseXml(text: string, source: string): { root?: Element; faults: Fault[] } {
  if (Buffer.byteLength(text) > textMaxBytes)
    return { faults: [{ path: '', message: `${source} is larger than ${textMaxBytes} bytes` }] }
  const faults: Fault[] = []
  const parser = new SaxesParser({ fileName: source })
  const top: Element = { name: '', kind: '', line: 0, attributes: [], children: [] }
  parser.on('error', ({ message }) => {
    faults.push({ path: '', message })
    if (faults.length >= faultsMax) throw new Refused()
  })
  build(parser, top, (message) => {
    faults.push({ path: '', message: `${source}:${parser.line}: ${message}` })
    throw new Refused()
  })
  try {
    parser.write(text).close()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
  }
  const root = elementsOf(top)[0]
  return root && faults.length === 0 ? { root, faults } : { faults }
}

/** Lets the parser fill `top`. */
function build(parser: SaxesParser, top: Element, refuse: (message: string) => never): void {
  const outermost = { element: top, scope: { own: new Map<string, string>(), outer: null } as Scope }
  const open = [outermost]
  let elements = 0
  let line = 1
  const here = () => open.at(-1) ?? outermost
  parser.on('doctype', () => refuse('a document type (<!DOCTYPE …>) and entities of its own are not taken; remove it'))
  parser.on('processinginstruction', ({ target }) => refuse(`the instruction <?${target}?> is not taken; remove it`))
  parser.on('opentagstart', () => (line = parser.line))
  parser.on('opentag', (tag) => {
    if (open.length > depthMax) refuse(`elements are nested deeper than ${depthMax} levels`)
    if (++elements > elementsMax) refuse(`there are more than ${elementsMax} elements`)
    if (Object.keys(tag.attributes).length > attributesMax)
      refuse(`${tag.name} has more than ${attributesMax} attributes`)
    const scope = scopeOf(tag.attributes, here().scope)
    const element = elementOf(tag.name, tag.attributes, scope, line)
    here().element.children.push(element)
    open.push({ element, scope })
  })
  parser.on('closetag', () => void open.pop())
  const addText = (text: string) => open.length > 1 && here().element.children.push({ text })
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('comment', (comment) => open.length > 1 && here().element.children.push({ comment }))
}

/** Prefix → namespace as one element declares them. A chain and no copies: else a text could make each element cost as much as all prefixes. */
interface Scope {
  readonly own: ReadonlyMap<string, string>
  readonly outer: Scope | null
}

function scopeOf(attributes: Readonly<Record<string, string>>, outer: Scope): Scope {
  const own = Object.entries(attributes).flatMap(([name, uri]): [string, string][] => {
    if (name === 'xmlns') return [['', uri]]
    return name.startsWith('xmlns:') ? [[name.slice(6), uri]] : []
  })
  return own.length === 0 ? outer : { own: new Map(own), outer }
}

function namespaceOf(prefix: string, scope: Scope): string | undefined {
  for (let here: Scope | null = scope; here !== null; here = here.outer) {
    const uri = here.own.get(prefix)
    if (uri !== undefined) return uri
  }
  return undefined
}

function elementOf(name: string, attributes: Readonly<Record<string, string>>, scope: Scope, line: number): Element {
  const list = Object.entries(attributes).map(([name, value]) => ({
    name,
    kind: name.includes(':') ? kindOf(name, scope) : name,
    value,
  }))
  return { name, kind: kindOf(name, scope), line, attributes: list, children: [] }
}

/** A prefix that isn't declared, or declared as something that nobody knows, stands for itself; none at all is taken for BPMN. */
function kindOf(name: string, scope: Scope): string {
  const colon = name.indexOf(':')
  const [prefix, local] = [name.slice(0, Math.max(0, colon)), name.slice(colon + 1)]
  const known = prefixOf.get(namespaceOf(prefix, scope) ?? '') ?? prefix
  return `${known === '' ? 'bpmn' : known}:${local}`
}

export function elementsOf({ children }: Element): Element[] {
  return children.filter((child): child is Element => 'name' in child)
}

/** Undefined when the attribute isn't there. */
export function attributeOf(element: Element, kind: string): string | undefined {
  return element.attributes.find((attribute) => attribute.kind === kind)?.value
}

/** Elements below this one, whatever is between. */
export function descendants(element: Element, kind: string): Element[] {
  return elementsOf(element).flatMap((child) => [...(child.kind === kind ? [child] : []), ...descendants(child, kind)])
}

/** The text of a document; `parseXml` reads the same tree from it. */
export function writeXml(root: Element): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${textOf(root)}\n`
}

function textOf(child: Child): string {
  if ('text' in child) return escaped(child.text)
  if ('comment' in child) return `<!--${child.comment}-->`
  const attributes = child.attributes.map(
    ({ name, value }) => ` ${name}="${escaped(value).replace(/[\n\t]/g, escape)}"`,
  )
  const start = `<${child.name}${attributes.join('')}`
  return child.children.length === 0 ? `${start}/>` : `${start}>${child.children.map(textOf).join('')}</${child.name}>`
}

/** What XML can't say at all becomes U+FFFD. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const unsayable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/gu

function escaped(text: string): string {
  return text.replace(unsayable, '\ufffd').replace(/[&<>"\r]/g, escape)
}

const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escape(char: string): string {
  return named[char] ?? `&#${char.charCodeAt(0)};`
}

/** Puts an element last, indented as deep as it lies. */
export function append(parent: Element, child: Element, depth: number): void {
  const last = parent.children.at(-1)
  if (last && 'text' in last && last.text.trim() === '') parent.children.pop()
  parent.children.push({ text: `\n${'  '.repeat(depth)}` }, child, { text: `\n${'  '.repeat(depth - 1)}` })
}

/** Takes elements out, with the white space before each. */
export function remove(parent: Element, unwanted: (element: Element) => boolean): void {
  const kept: Child[] = []
  for (const child of parent.children) {
    const last = kept.at(-1)
    if (!('name' in child) || !unwanted(child)) kept.push(child)
    else if (last && 'text' in last && last.text.trim() === '') kept.pop()
  }
  parent.children.splice(0, parent.children.length, ...kept)
}
