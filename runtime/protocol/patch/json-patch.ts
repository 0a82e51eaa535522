import { copied, isArray, isIndex, isObject, isSame, memberOf, setMember, tokensOf, Unpatchable } from './pointer.ts'
import type { Budget, Json } from './pointer.ts'

/** RFC 6902. */
export type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string }

/** Changes `document` where it can; the value that is answered counts. Throws `Unpatchable`, which names the operation. */
export function applyOperations(document: Json, operations: readonly Operation[], budget: Budget): Json {
  let value = document
  for (const [n, operation] of operations.entries()) {
    try {
      value = applied(value, operation, budget)
    } catch (error) {
      if (!(error instanceof Unpatchable)) throw error
      const { op, path } = operation
      throw new Unpatchable(`operation ${n} (${op} "${path}"): ${error.message}`, { cause: error })
    }
  }
  return value
}

function applied(document: Json, operation: Operation, budget: Budget): Json {
  switch (operation.op) {
    case 'add':
      return added(document, operation.path, copied(operation.value, budget))
    case 'remove':
      return removed(document, operation.path)
    case 'replace':
      return replaced(document, operation.path, copied(operation.value, budget))
    case 'move':
      return moved(document, operation.from, operation.path)
    case 'copy':
      return added(document, operation.path, copied(found(document, operation.from), budget))
    case 'test':
      if (isSame(found(document, operation.path), operation.value)) return document
      throw new Unpatchable('the value there is another one')
    default:
      return operation satisfies never
  }
}

/** Throws `Unpatchable` when there is nothing. */
function found(document: Json, path: string): Json {
  let value: Json | undefined = document
  for (const token of tokensOf(path)) {
    value = memberOf(value, token)
    if (value === undefined) throw new Unpatchable(`there is nothing at "${path}"`)
  }
  return value
}

/** The value that holds what the path is about, and its name there. */
function placeOf(document: Json, path: string): { holder: Json; last: string } {
  const at = path.lastIndexOf('/')
  const [last = ''] = tokensOf(path.slice(at))
  return { holder: found(document, path.slice(0, at)), last }
}

function added(document: Json, path: string, value: Json): Json {
  if (path === '') return value
  const { holder, last } = placeOf(document, path)
  if (isObject(holder)) setMember(holder, last, value)
  else if (isArray(holder)) (holder as Json[]).splice(indexIn(holder, last), 0, value)
  else throw new Unpatchable('what it would be put into is neither an object nor an array')
  return document
}

/** Where it is put in, at most behind the last one. */
function indexIn(array: readonly Json[], token: string): number {
  if (token === '-') return array.length
  if (isIndex(token) && Number(token) <= array.length) return Number(token)
  throw new Unpatchable(`"${token}" is no place in an array of ${array.length}`)
}

function removed(document: Json, path: string): Json {
  if (path === '') return null
  const { holder, last } = placeOf(document, path)
  if (memberOf(holder, last) === undefined) throw new Unpatchable('there is nothing')
  if (isArray(holder)) (holder as Json[]).splice(Number(last), 1)
  else Reflect.deleteProperty(holder as object, last)
  return document
}

function replaced(document: Json, path: string, value: Json): Json {
  if (path === '') return value
  const { holder, last } = placeOf(document, path)
  if (memberOf(holder, last) === undefined) throw new Unpatchable('there is nothing')
  if (isArray(holder)) (holder as Json[])[Number(last)] = value
  else setMember(holder as object, last, value)
  return document
}

function moved(document: Json, from: string, path: string): Json {
  const value = found(document, from)
  if (from === path) return document
  if (path.startsWith(`${from}/`)) throw new Unpatchable('nothing can be moved into itself')
  return added(removed(document, from), path, value)
}
