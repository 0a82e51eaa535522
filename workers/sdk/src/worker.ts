import { Received, type Call } from './call.ts'
import { Failure, Fail, failureReply, problem } from './errors.ts'
import type { Fetch, Upstream } from './http.ts'
import { manifestNode, type Manifest, type NodeOptions, type NodeType } from './manifest.ts'
import { replyTo, replyToPage, type Output, type Page } from './reply.ts'
import { check, isStandard, type Checked, type JsonSchema, type Schema } from './schema.ts'
import { verifier, type Verify } from './signature.ts'
import { decodeText, readBody } from './wire.ts'

export interface WorkerOptions {
  /** `[a-z0-9-]{1,63}`. */
  readonly name: string
  readonly version: string
  /** Shared with the engine: calls that it hasn't signed are refused. Several while one is being replaced. */
  readonly secret?: string | readonly string[] | undefined
  /** What `http` puts before URLs that begin with `/`. */
  readonly baseUrl?: string | undefined
  /** What `http` calls instead of the global `fetch`. */
  readonly fetch?: Fetch | undefined
  /** Told of every error that isn't `Retry`, `Fail` or `RateLimited`; the default prints it with its stack. */
  readonly onError?: ((error: unknown, call: Call | undefined) => void) | undefined
}

/**
 * What a node does with one message. Returns the output: an object, array, number or null goes out as JSON, a string as text,
 * a Uint8Array as bytes; nothing (undefined) ends the branch well; `message`, `route`, `many`, `pass`, `end` say more;
 * a Response is answered as it is. Throws `Retry`, `Fail` or `RateLimited`; anything else thrown is a 500, which is retried.
 */
export type Handler<Body, Settings> = (call: Call<Body, Settings>) => unknown

/** What a batch node does: returns one page of records. */
export type BatchHandler<Body, Settings> = (call: Call<Body, Settings>) => PageResult | Promise<PageResult>
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a handler without a return statement
export type PageResult = Page | Output | Response | undefined | void

interface Node {
  readonly name: string
  readonly type: NodeType
  readonly options: NodeOptions<Schema, Schema>
  /** The node's own name and its aliases. */
  readonly names: readonly string[]
  readonly handle: (call: Received) => unknown
  /** The settings of the last call, since they change with a publish only. */
  settings: { readonly raw: string | null; readonly value: unknown } | undefined
}

const bodyCap = 8 * 1024 * 1024
const namePattern = /^[a-z0-9-]{1,63}$/

/** Makes a worker: add its nodes with `.connector`, `.batch` and `.custom`, and export it as the module's default. */
export function worker(options: WorkerOptions): Worker {
  return new Worker(options)
}

/** A fetch handler of worker nodes: `{ fetch }`, as Deno, Bun and workerd take it; `serve` of `@sluiceway/worker/node` for Node. */
export class Worker {
  readonly name: string
  readonly #options: WorkerOptions
  readonly #upstream: Upstream
  readonly #verify: Verify | null
  readonly #nodes = new Map<string, Node>()
  #manifest: string | undefined

  constructor(options: WorkerOptions) {
    if (!namePattern.test(options.name))
      throw new TypeError(`worker(): the name ${options.name} must fit ${namePattern.source}`)
    this.name = options.name
    this.#options = options
    this.#upstream = { baseUrl: options.baseUrl, fetch: options.fetch ?? ((url, init) => fetch(url, init)) }
    const { secret } = options
    this.#verify = secret === undefined ? null : verifier(typeof secret === 'string' ? [secret] : secret)
  }

  /** Answers any request; never throws. */
  readonly fetch = (request: Request, env?: unknown): Promise<Response> => this.#route(request, env)

  /** A node that talks to a service. */
  connector<I extends Schema = JsonSchema, S extends Schema = JsonSchema>(
    name: string,
    ...rest: Definition<NodeOptions<I, S>, Handler<Checked<I>, Checked<S>>>
  ): this {
    return this.#add('connector', name, rest)
  }

  /** A node that computes. */
  custom<I extends Schema = JsonSchema, S extends Schema = JsonSchema>(
    name: string,
    ...rest: Definition<NodeOptions<I, S>, Handler<Checked<I>, Checked<S>>>
  ): this {
    return this.#add('custom', name, rest)
  }

  /** A node that reads a source page by page. */
  batch<I extends Schema = JsonSchema, S extends Schema = JsonSchema>(
    name: string,
    ...rest: Definition<NodeOptions<I, S>, BatchHandler<Checked<I>, Checked<S>>>
  ): this {
    return this.#add('batch', name, rest)
  }

  /** What `/.well-known/sluice-worker` answers. */
  manifest(): Manifest {
    const nodes = [...this.#nodes.values()].map(({ name, type, options }) => manifestNode(name, type, options))
    return { protocol: 1, worker: this.name, version: this.#options.version, nodes }
  }

  #add(type: NodeType, name: string, rest: Definition<NodeOptions<Schema, Schema>, AnyHandler>): this {
    const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest
    if (!namePattern.test(name))
      throw new TypeError(`worker ${this.name}: the node name ${name} must fit ${namePattern.source}`)
    if (this.#nodes.has(name)) throw new TypeError(`worker ${this.name} has two nodes named ${name}`)
    checkPrefetch(name, options.prefetch)
    const names = [name, ...(options.aliases ?? [])]
    this.#nodes.set(name, { name, type, options, names, handle: handler as Node['handle'], settings: undefined })
    this.#manifest = undefined
    return this
  }

  async #route(request: Request, env: unknown): Promise<Response> {
    const path = pathOf(request.url)
    // Whatever stands before /nodes/ is where the worker is mounted.
    const at = path.lastIndexOf('/nodes/')
    if (at === -1) return this.#describe(request, path)
    const name = path.slice(at + '/nodes/'.length)
    const node = this.#nodes.get(name)
    if (node === undefined) return absent(`Worker ${this.name} has no node ${name.slice(0, 63)}.`)
    if (request.method === 'POST') return this.#call(node, request, env)
    return problem(405, { title: 'Method not allowed', detail: `A node is called with POST.` }, { allow: 'POST' })
  }

  #describe(request: Request, path: string): Response {
    const known = path.endsWith('/.well-known/sluice-worker') ? 'manifest' : path.endsWith('/healthz') ? 'health' : null
    if (known === null) return absent(`Worker ${this.name} has nothing at this path; its nodes are below /nodes/.`)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return problem(405, { title: 'Method not allowed', detail: 'This is read with GET.' }, { allow: 'GET, HEAD' })
    }
    const body = known === 'manifest' ? (this.#manifest ??= JSON.stringify(this.manifest())) : '{"status":"ok"}'
    return new Response(request.method === 'HEAD' ? null : body, { headers: { 'content-type': 'application/json' } })
  }

  async #call(node: Node, request: Request, env: unknown): Promise<Response> {
    let call: Received | undefined
    try {
      const bytes = await readBody(request, bodyCap)
      if (bytes === null) return problem(413, { title: 'Body too large', detail: 'A message has at most 8 MiB.' })
      const refusal = this.#verify === null ? null : await this.#verify(request.headers, bytes, node.names)
      if (refusal !== null) return refused(refusal)
      call = new Received(node.name, request, bytes, this.#upstream, env)
      const { input } = node.options
      if (isStandard(input)) call.body = await check(input, call.body, 'Body')
      if (node.options.settings !== undefined || call.header('sluice-settings') !== null) await readSettings(node, call)
      const result = await node.handle(call)
      return node.type === 'batch' ? replyToPage(result) : replyTo(result)
    } catch (error) {
      return this.#failed(error, call)
    } finally {
      call?.finish()
    }
  }

  #failed(error: unknown, call: Received | undefined): Response {
    if (call?.aborted === true && error === call.signal.reason) {
      return problem(504, { title: 'Deadline passed', detail: `${call.node} did not finish before the deadline.` })
    }
    if (!(error instanceof Failure)) (this.#options.onError ?? printError)(error, call)
    return failureReply(error)
  }
}

type AnyHandler = (call: never) => unknown
type Definition<Options, Handle> = [handler: Handle] | [options: Options, handler: Handle]

function checkPrefetch(name: string, prefetch: number | undefined): void {
  if (prefetch === undefined || (Number.isInteger(prefetch) && prefetch >= 1 && prefetch <= 20)) return
  throw new TypeError(`node ${name}: prefetch is ${prefetch}, but must be a whole number from 1 to 20`)
}

async function readSettings(node: Node, call: Received): Promise<void> {
  const raw = call.header('sluice-settings')
  if (node.settings?.raw !== raw) {
    const given = raw === null ? {} : decodeSettings(raw)
    const { settings } = node.options
    const value = isStandard(settings) ? await check(settings, given, 'Settings') : given
    node.settings = { raw, value }
  }
  call.settings = node.settings.value
}

function decodeSettings(raw: string): unknown {
  try {
    const binary = atob(raw.replaceAll('-', '+').replaceAll('_', '/'))
    return JSON.parse(decodeText(Uint8Array.from(binary, (character) => character.charCodeAt(0)))) as unknown
  } catch (cause) {
    throw new Fail('sluice-settings is not base64url of JSON', { title: 'Malformed settings', status: 400, cause })
  }
}

function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const end = url.search(/[?#]/)
  return end === -1 ? url.slice(start) : url.slice(start, end)
}

/** Without problem+json, so that the bridge takes it for a node that isn't deployed yet, and tries again. */
function absent(text: string): Response {
  return new Response(`${text}\n`, { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } })
}

function refused(detail: string): Response {
  return problem(401, { title: 'Signature refused', detail }, { 'sluice-signature': 'refused' })
}

function printError(error: unknown, call: Call | undefined): void {
  // eslint-disable-next-line no-console -- the one sink that every runtime has; `onError` replaces it
  console.error(call === undefined ? 'worker:' : `node ${call.node}, message ${call.id}:`, error)
}
