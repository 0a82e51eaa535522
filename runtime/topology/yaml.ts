/**
 * Text → YAML documents (JSON is YAML too) without letting the text choose how long that takes: the parser needs quadratic time for some
 * deep texts, and the composer works recursively and compares the keys of a map in pairs. So tokens, depth and sizes are
 * limited before each of them. The console reads files by it, too.
 */
import { Composer, Lexer, LineCounter, Parser, isNode, isScalar, stringify, type CST, type Document } from 'yaml'

const documentMaxBytes = 1024 * 1024
export const depthMax = 32
export const documentsMax = 100
const lexemesMax = 200_000
const itemsMax = { list: 5000, map: 1000 }
/** How often an anchor may be repeated, in all and through other anchors; more is an alias bomb. */
const aliasMax = 100
const tooDeep = `is nested deeper than ${depthMax} levels`

/** One document and where its values stand in the text. */
export interface Source {
  readonly name: string
  readonly yaml: Document.Parsed
  readonly lines: LineCounter
}

/** The documents of a text, or why it isn't even looked at. */
export function composeAll(text: string, name: string): Source[] | string {
  if (new TextEncoder().encode(text).byteLength > documentMaxBytes) return `is larger than ${documentMaxBytes} bytes`
  const lexemes = lex(text)
  if (typeof lexemes === 'string') return lexemes
  const lines = new LineCounter()
  const tokens = parse(lexemes, lines)
  const excess = tokens.map(excessOf).find((found) => found !== null)
  if (excess !== undefined) return excess
  const composer = new Composer({ lineCounter: lines, stringKeys: true, prettyErrors: false, logLevel: 'silent' })
  const documents = [...composer.compose(tokens, true, text.length)]
  if (documents.length > documentsMax) return `holds more than ${documentsMax} documents`
  return documents.map((yaml) => ({ name, yaml, lines }))
}

/** Nothing, only comments, or null. */
export function isEmpty({ yaml }: Source): boolean {
  if (yaml.errors.length > 0) return false
  return yaml.contents === null || (isScalar(yaml.contents) && yaml.contents.value === null)
}

export interface SyntaxFault {
  /** Null: it is about all of it. */
  readonly line: number | null
  readonly message: string
}

/** What a document says, if nothing is wrong with how it is written. */
export function valueOf({ yaml, lines }: Source): {
  readonly value?: unknown
  readonly faults: readonly SyntaxFault[]
} {
  const syntax = [...yaml.errors, ...yaml.warnings]
  if (syntax.length > 0)
    return { faults: syntax.map(({ pos, message }) => ({ line: lines.linePos(pos[0]).line, message })) }
  try {
    return { value: yaml.toJS({ maxAliasCount: aliasMax }), faults: [] }
  } catch (error) {
    // Only aliases are resolved here: too many of them, or one without its anchor.
    return { faults: [{ line: null, message: error instanceof Error ? error.message : 'unresolvable aliases' }] }
  }
}

/** From 1. */
export function lineOf({ lines }: Source, offset: number): number {
  return lines.linePos(offset).line
}

/** Where the value at the path stands, or the nearest one around it. */
export function offsetOf({ yaml }: Source, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = length === 0 ? yaml.contents : yaml.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

/** Brackets are lexemes of their own, and never the text of a scalar. */
function lex(text: string): string[] | string {
  const lexemes: string[] = []
  let depth = 0
  for (const lexeme of new Lexer().lex(text)) {
    lexemes.push(lexeme)
    if (lexeme === '[' || lexeme === '{') depth += 1
    if (lexeme === ']' || lexeme === '}') depth -= 1
    if (depth > depthMax) return tooDeep
    if (lexemes.length > lexemesMax) return `has more than ${lexemesMax} words and signs`
  }
  return lexemes
}

function parse(lexemes: readonly string[], lines: LineCounter): CST.Token[] {
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  const tokens: CST.Token[] = []
  for (const lexeme of lexemes) tokens.push(...parser.next(lexeme))
  tokens.push(...parser.end())
  return tokens
}

function excessOf(root: CST.Token): string | null {
  const left: { token: CST.Token; depth: number }[] = [{ token: root, depth: 0 }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { token, depth } = next
    if (depth > depthMax) return tooDeep
    if (token.type === 'document' && token.value) left.push({ token: token.value, depth })
    if (!('items' in token)) continue
    const max = isMap(token) ? itemsMax.map : itemsMax.list
    if (token.items.length > max) return `has a list or map of more than ${max} entries`
    for (const { key, value } of token.items) {
      if (key) left.push({ token: key, depth: depth + 1 })
      if (value) left.push({ token: value, depth: depth + 1 })
    }
  }
  return null
}

function isMap(token: CST.BlockMap | CST.BlockSequence | CST.FlowCollection): boolean {
  return token.type === 'block-map' || (token.type === 'flow-collection' && token.start.source === '{')
}

/** YAML that this reader, and others, read as the same value. */
export function yamlOf(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false })
}
