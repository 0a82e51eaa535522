/** From what a document says of a webhook node to what its plan says. Pure. */
import type { DocumentNode } from '../schema.ts'
import { bodyMaxBytes } from './config.ts'
import type { Handshake, Scheme, Verification, Webhook } from './config.ts'
import { parseIdSource, parseSource } from './source.ts'

const webhookDefaults = { toleranceSeconds: 300, tokenHeader: 'authorization' } as const

/** How senders of each scheme call a delivery, so that one that comes again is known. */
const idsOf: Readonly<Record<Scheme, string>> = {
  'standard-webhooks': 'header:webhook-id',
  github: 'header:x-github-delivery',
  stripe: '/id',
  // Two topics of one event have the same event id, and are two deliveries.
  shopify: 'header:x-shopify-webhook-id',
  slack: '/event_id',
  hmac: 'none',
  token: 'none',
}

/** Of a webhook node that was checked. */
export function compileWebhook({ verify, handshake, accept = {} }: DocumentNode): Webhook {
  const id = accept.deliveryId ?? (verify ? idsOf[verify.scheme] : 'none')
  return {
    verify: verify === undefined ? null : verificationOf(verify),
    handshake: handshake === undefined ? null : handshakeOf(handshake),
    methods: accept.methods ?? ['POST'],
    maxBytes: accept.maxBytes ?? bodyMaxBytes,
    headers: [...new Set((accept.headers ?? []).map((name) => name.toLowerCase()))],
    tenant: accept.tenant === undefined ? null : parseSource(accept.tenant),
    deliveryId: parseIdSource(id),
  }
}

function verificationOf({
  scheme,
  header = webhookDefaults.tokenHeader,
  algorithm = 'sha256',
  encoding = 'hex',
  prefix,
  toleranceSeconds = webhookDefaults.toleranceSeconds,
}: NonNullable<DocumentNode['verify']>): Verification {
  const name = header.toLowerCase()
  if (scheme === 'hmac') return { scheme, header: name, algorithm, encoding, prefix: prefix ?? '' }
  if (scheme === 'token')
    return { scheme, header: name, prefix: prefix ?? (name === webhookDefaults.tokenHeader ? 'Bearer ' : '') }
  return scheme === 'github' || scheme === 'shopify' ? { scheme } : { scheme, toleranceSeconds }
}

function handshakeOf({ query, token, body, when }: NonNullable<DocumentNode['handshake']>): Handshake {
  if (query !== undefined) return { in: 'query', name: query, token: token ?? null }
  const source = parseSource(body ?? '')
  return { in: 'body', tokens: source?.from === 'body' ? source.tokens : [], when: when ?? {} }
}
