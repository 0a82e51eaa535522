/** What the intake goes by for a webhook node: a part of its plan. Made from the document by `compileWebhook`. Pure. */
import type { IdSource, Source } from './source.ts'

export const schemes = ['standard-webhooks', 'github', 'stripe', 'shopify', 'slack', 'hmac', 'token'] as const
export type Scheme = (typeof schemes)[number]
/** Schemes that sign the time, and which is refused when it is too far from ours. */
export const timedSchemes = ['standard-webhooks', 'stripe', 'slack'] as const
export const algorithms = ['sha256', 'sha512', 'sha1'] as const
export const encodings = ['hex', 'base64'] as const
export const webhookMethods = ['POST', 'PUT'] as const

/** How a delivery proves who sent it. */
export type Verification =
  | { readonly scheme: (typeof timedSchemes)[number]; readonly toleranceSeconds: number }
  | { readonly scheme: 'github' | 'shopify' }
  | {
      readonly scheme: 'hmac'
      readonly header: string
      readonly algorithm: (typeof algorithms)[number]
      readonly encoding: (typeof encodings)[number]
      readonly prefix: string
    }
  | { readonly scheme: 'token'; readonly header: string; readonly prefix: string }

/** How a sender finds out that the address is ours: what it sends is echoed. */
export type Handshake =
  /** `token`: the parameter that has to be the node's verify token; null: none has. */
  | { readonly in: 'query'; readonly name: string; readonly token: string | null }
  /** `when`: what the body's own fields have to be. */
  | { readonly in: 'body'; readonly tokens: readonly string[]; readonly when: Readonly<Record<string, string>> }

export interface Webhook {
  readonly verify: Verification | null
  readonly handshake: Handshake | null
  readonly methods: readonly (typeof webhookMethods)[number][]
  readonly maxBytes: number
  /** Headers that are carried beside those that always are, in lower case. */
  readonly headers: readonly string[]
  /** Null: a webhook's runs have no tenant. */
  readonly tenant: Source | null
  /** Null: each delivery is a run of its own. */
  readonly deliveryId: IdSource | null
}

export const bodyMaxBytes = 8 * 1024 * 1024
