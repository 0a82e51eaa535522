import type { Context, MiddlewareHandler } from 'hono'
import { Invalid } from '../errors.ts'
import { isStorable } from '../store/text.ts'
import { HttpProblem } from './problem.ts'

const bodyMaxBytes = 8 * 1024 * 1024
const readMaxBytes = 4 * bodyMaxBytes
/** Deeper JSON than this is an attack on whoever walks it. */
const depthMax = 200

/**
 * Reads a request's body, of at most 8 MiB: counted while it streams, whatever `content-length` says. Throws 413 and 415. More than that
 * is kept nowhere, but read on for a while: closed on a client that still sends, the connection would break before the answer.
 */
export async function readBytes(c: Context): Promise<Uint8Array> {
  const coding = c.req.header('content-encoding') ?? 'identity'
  if (coding !== 'identity') throw new HttpProblem(415, `the body has to come as it is, not as ${coding}`)
  return readRawBytes(c)
}

/** The same whatever its content-encoding, which stays as it is. Throws 413. */
export async function readRawBytes(c: Context, maxBytes = bodyMaxBytes): Promise<Uint8Array> {
  if (Number(c.req.header('content-length') ?? 0) > readMaxBytes) throw tooLarge(maxBytes)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (c.req.raw.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > readMaxBytes) throw tooLarge(maxBytes)
    if (size <= maxBytes) chunks.push(chunk)
    else chunks.length = 0
  }
  if (size > maxBytes) throw tooLarge(maxBytes)
  return Buffer.concat(chunks, size)
}

/** For a body that was written anew: numbers such as 1e20 are longer then. Throws 413. */
export function ofGoodSize(body: Uint8Array): Uint8Array {
  if (body.byteLength > bodyMaxBytes) throw tooLarge()
  return body
}

function tooLarge(maxBytes = bodyMaxBytes): HttpProblem {
  return new HttpProblem(413, `the body is larger than ${maxBytes} bytes`, { connection: 'close' })
}

/**
 * Reads and checks bodies before any route sees them: size, media type, UTF-8, and of JSON syntax, depth, and texts that
 * Postgres can't store. No body at all is an empty object, so that what is missing is named field by field.
 */
export const jsonBodies: MiddlewareHandler = async (c, next) => {
  if (!['POST', 'PUT', 'PATCH'].includes(c.req.method) || c.req.path === streamed) return next()
  const bytes = await readBytes(c)
  if (isXmlRoute.test(c.req.path)) {
    c.req.bodyCache.text = Promise.resolve(xmlText(bytes, c.req.header('content-type'))) as never
    return next()
  }
  if (bytes.byteLength > 0 && !isJson(c.req.header('content-type')))
    throw new HttpProblem(415, 'the body has to be application/json')
  // What is read as an empty object has to be called one, or the routes that take JSON refuse it.
  if (bytes.byteLength === 0 && !c.req.header('content-type')) c.req.raw.headers.set('content-type', 'application/json')
  const text = bytes.byteLength === 0 ? '{}' : utf8(bytes)
  if (text === null) throw new Invalid('the body is not UTF-8')
  checkText(text)
  c.req.bodyCache.text = Promise.resolve(text) as never
  return next()
}

/** It takes a body of any size, and reads it line by line. */
const streamed = '/api/trash/import'

/** The one document that isn't JSON. */
const isXmlRoute = /^\/api\/topologies\/[^/]+\/schema\.bpmn$/

function xmlText(bytes: Uint8Array, contentType: string | undefined): string {
  if (!/^(application|text)\/([\w.+-]+\+)?xml\s*(;|$)/i.test(contentType ?? ''))
    throw new HttpProblem(415, 'the body has to be application/xml')
  const text = utf8(bytes)
  if (text === null) throw new Invalid('the body is not UTF-8')
  return text
}

function checkText(text: string): void {
  if (isDeep(text)) throw new Invalid(`the body is nested deeper than ${depthMax} levels`)
  const value = parsed(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Invalid('the body has to be a JSON object')
  // What a message holds is bytes to us: there, everything is allowed.
  const { body: _, ...own } = value as Record<string, unknown>
  const path = unstorableAt(own, '')
  if (path !== null) throw new Invalid('a text holds a NUL or broken Unicode', [{ path, message: 'cannot be stored' }])
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unreadable'
    throw new Invalid(`the body is not JSON: ${why}`, [{ path: '', message: why }], { cause: error })
  }
}

function unstorableAt(value: unknown, path: string): string | null {
  if (typeof value === 'string') return isStorable(value) ? null : path
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inner] of Object.entries(value)) {
    const place = Array.isArray(value) ? `${path}[${key}]` : `${path === '' ? '' : `${path}.`}${key}`
    const found = isStorable(key) ? unstorableAt(inner, place) : path
    if (found !== null) return found
  }
  return null
}

export function isJson(contentType: string | undefined): boolean {
  return /^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(contentType ?? '')
}

/** Null when the bytes aren't UTF-8. */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** Counts brackets outside of strings. */
export function isDeep(json: string): boolean {
  let depth = 0
  let quoted = false
  for (let i = 0; i < json.length; i++) {
    const char = json.charCodeAt(i)
    if (quoted && char === 0x5c) i++
    else if (char === 0x22) quoted = !quoted
    else if (!quoted && (char === 0x5b || char === 0x7b) && ++depth > depthMax) return true
    else if (!quoted && (char === 0x5d || char === 0x7d)) depth--
  }
  return false
}
