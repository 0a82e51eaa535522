import type { Answer, ApiDocument, Operation } from './describe/document.ts'

/** The OpenAPI document as one page of HTML that loads nothing: no script, no font, no style from elsewhere. */
export function docsPage(document: ApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  )
  const tags = [...new Set(operations.map(({ operation }) => operation.tags[0] ?? 'Other'))]
  const sections = tags.map((tag) => {
    const mine = operations.filter(({ operation }) => (operation.tags[0] ?? 'Other') === tag)
    return `<section id="${escape(tag)}"><h2>${escape(tag)}</h2>${mine.map(operationHtml).join('')}</section>`
  })
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${escape(name)}"><summary><b>${escape(name)}</b></summary>${code(schema)}</details>`,
  )
  const links = [...tags, 'Schemas'].map((tag) => `<a href="#${escape(tag)}">${escape(tag)}</a>`).join(' ')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sluiceway API</title>
<style>${style}</style></head><body>
<header><h1>${escape(document.info.title)} API <small>${escape(document.info.version)}</small></h1>
${paragraphs(document.info.description ?? '')}
<p>Machines read <a href="/api/openapi.json">/api/openapi.json</a>.</p><nav>${links}</nav></header>
<main>${sections.join('\n')}<section id="Schemas"><h2>Schemas</h2>${schemas.join('\n')}</section></main>
</body></html>
`
}

interface Place {
  readonly path: string
  readonly method: string
  readonly operation: Operation
}

function operationHtml({ path, method, operation }: Place): string {
  const scope = operation.security?.[0]?.['bearer']?.[0]
  const parts = [
    operation.description === undefined ? '' : paragraphs(operation.description),
    scope === undefined ? '<p>No token needed.</p>' : `<p>Scope <code>${escape(scope)}</code>.</p>`,
    parametersHtml(operation),
    ...Object.entries(operation.requestBody?.content ?? {}).map(
      ([type, { schema }]) => `<p>Body, <code>${escape(type)}</code>: ${schemaHtml(schema)}</p>`,
    ),
    `<table>${Object.entries(operation.responses).map(answerHtml).join('')}</table>`,
  ]
  return `<details id="${escape(operation.operationId)}"><summary><code class="${escape(method)}">${escape(
    method.toUpperCase(),
  )}</code> <code>${escape(path)}</code> ${escape(operation.summary)}</summary>${parts.join('')}</details>`
}

function parametersHtml({ parameters = [] }: Operation): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(
    ({ name, in: where, required, description = '', schema }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${escape(where)}${required ? ', required' : ''}</td><td>${schemaHtml(
        schema,
      )}</td><td>${inline(description)}</td></tr>`,
  )
  return `<table>${rows.join('')}</table>`
}

function answerHtml([status, answer]: [string, Answer]): string {
  if (answer.$ref !== undefined) {
    const name = answer.$ref.split('/').at(-1) ?? ''
    return `<tr><td>${escape(status)}</td><td>${escape(name)}</td><td>${schemaLink('Problem')}</td></tr>`
  }
  const schema = Object.values(answer.content ?? {})[0]?.schema
  return `<tr><td>${escape(status)}</td><td>${inline(answer.description ?? '')}</td><td>${schemaHtml(schema)}</td></tr>`
}

function schemaHtml(schema: object | undefined): string {
  if (!schema) return ''
  const ref = (schema as { $ref?: unknown }).$ref
  if (typeof ref === 'string') return schemaLink(ref.split('/').at(-1) ?? '')
  return `<code>${escape(JSON.stringify(schema))}</code>`
}

function schemaLink(name: string): string {
  return `<a href="#schema-${escape(name)}">${escape(name)}</a>`
}

/** JSON, with a link at every reference to another schema. */
function code(schema: object): string {
  const text = escape(JSON.stringify(schema, null, 2))
  return `<pre>${text.replace(/#\/components\/schemas\/(\w+)/g, (_, name: string) => schemaLink(name))}</pre>`
}

function paragraphs(text: string): string {
  return text
    .split('\n\n')
    .map((part) => `<p>${inline(part)}</p>`)
    .join('')
}

function inline(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (char) => entities[char] ?? char)
}

const style = `
:root { color-scheme: light dark; --line: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
nav a { margin-right: 0.75rem; }
h2 { border-bottom: 1px solid var(--line); margin-top: 2rem; }
details { border-bottom: 1px solid var(--line); padding: 0.25rem 0; }
summary { cursor: pointer; }
code, pre { font-size: 0.9em; }
pre { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--line); padding: 0.2rem 0.5rem 0.2rem 0; vertical-align: top; }
.get { color: #2563eb; } .post { color: #16a34a; } .put, .patch { color: #d97706; } .delete { color: #dc2626; }
`
