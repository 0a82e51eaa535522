import { randomBytes } from 'node:crypto'
import { Conflict, Invalid } from '../../../errors.ts'
import { decryptSecret, encryptSecret } from '../../../secrets.ts'
import {
  findWebhook,
  lockWebhook,
  makeWebhook,
  updateWebhook,
  withoutWebhook,
} from '../../../store/queries/hooks/webhooks.ts'
import type { Webhook, WebhookValues } from '../../../store/queries/hooks/webhooks.ts'
import type { Node } from '../../../store/queries/nodes.ts'
import type { Store } from '../../../store/store.ts'
import type { Webhook as Config } from '../../../topology/webhooks/config.ts'
import { ofWebhook } from '../../access/targets.ts'
import type { Changing } from '../../deps.ts'
import { hashOf } from './known.ts'

/** The secrets of webhook nodes: the last part of their address, what signs deliveries, and what proves a handshake. */
type Deps = Pick<Changing, 'store' | 'secretKey' | 'audit'>

/** Makes the addresses of the webhook nodes of a topology that have none yet: in the transaction that saves its draft. */
export async function makeAddresses(
  { store, secretKey }: Pick<Deps, 'store' | 'secretKey'>,
  topologyId: string,
): Promise<void> {
  for (const nodeId of await withoutWebhook(store, topologyId)) await makeWebhook(store, nodeId, newAddress(secretKey))
}

/** The webhook of a node. Throws `Conflict` for a node that is none. */
export async function webhookOf({ store }: Pick<Deps, 'store'>, node: Node): Promise<Webhook> {
  checkType(node)
  const found = await findWebhook(store, node.id)
  if (found !== null) return found
  throw new Conflict(`the webhook "${node.name}" was saved by an older version, and has no address yet: save it again`)
}

function checkType({ name, type }: Node): void {
  if (type !== 'webhook') throw new Conflict(`"${name}" is a ${type} node: only webhook nodes have an address`)
}

/** 256 random bits; by its beginning it is known as a secret, and kept out of logs. */
function newAddress(secretKey: string): Pick<WebhookValues, 'pathSecret' | 'pathHash'> {
  const secret = `slwh_${randomBytes(32).toString('base64url')}`
  return { pathSecret: encryptSecret(secretKey, secret), pathHash: hashOf(secret) }
}

/** Null when it was revoked, or encrypted with another key. */
export function pathSecretOf(secretKey: string, { pathSecret }: Webhook): string | null {
  try {
    return pathSecret === null ? null : decryptSecret(secretKey, pathSecret)
  } catch (error) {
    if (error instanceof Invalid) return null
    throw error
  }
}

/** A new address; the one before is good for `graceS` seconds more. */
export function rotateAddress(deps: Deps, node: Node, graceS: number, ifVersion: number | null): Promise<Webhook> {
  return change(deps, node, ifVersion, (before) => ({
    ...newAddress(deps.secretKey),
    previousPathHash: graceS > 0 ? before.pathHash : null,
    previousPathUntil: graceS > 0 && before.pathHash !== null ? inSeconds(graceS) : null,
  }))
}

/** Nothing that was an address is one any more. */
export function revokeAddress(deps: Deps, node: Node, ifVersion: number | null): Promise<Webhook> {
  const none = { pathSecret: null, pathHash: null, previousPathHash: null, previousPathUntil: null }
  return change(deps, node, ifVersion, () => none)
}

/** Left out: as it is; null: none. */
export interface SecretsChange {
  readonly secret?: string | null | undefined
  readonly verifyToken?: string | null | undefined
  /** How long the secret before signs deliveries, too. */
  readonly graceS: number
}

export function setSecrets(
  deps: Deps,
  node: Node,
  { secret, verifyToken, graceS }: SecretsChange,
  ifVersion: number | null,
): Promise<Webhook> {
  const sealed = (text: string | null) => (text === null ? null : encryptSecret(deps.secretKey, text))
  return change(deps, node, ifVersion, (before) => {
    const keeps = graceS > 0 && typeof secret === 'string' && before.signingSecret !== null
    return {
      ...(secret !== undefined && {
        signingSecret: sealed(secret),
        previousSigningSecret: keeps ? before.signingSecret : null,
        previousSigningUntil: keeps ? inSeconds(graceS) : null,
      }),
      ...(verifyToken !== undefined && { verifyToken: sealed(verifyToken) }),
    }
  })
}

const inSeconds = (seconds: number): Date => new Date(Date.now() + seconds * 1_000)

async function change(
  { store, secretKey, audit }: Deps,
  node: Node,
  ifVersion: number | null,
  next: (before: Webhook) => Partial<WebhookValues>,
): Promise<Webhook> {
  checkType(node)
  return store.transaction(async (inside: Store) => {
    await makeWebhook(inside, node.id, newAddress(secretKey))
    const before = await lockWebhook(inside, node.id)
    if (!before) throw new Conflict(`the node "${node.name}" was deleted meanwhile`)
    const after = await updateWebhook(inside, node.id, next(before), ifVersion)
    await audit(inside, ofWebhook(node, before, after))
    return after
  })
}

/** Why deliveries can't be taken, or are taken otherwise than somebody may think; for people. */
export function notesOf(webhook: Webhook, draft: Config, closed: string | null): string[] {
  const { pathHash, signingSecret, verifyToken } = webhook
  const { verify, handshake } = draft
  const needsToken = handshake?.in === 'query' && handshake.token !== null
  const notes = [
    closed,
    pathHash === null ? 'its address was revoked: rotate it for another one' : null,
    verify && signingSecret === null
      ? `deliveries are refused until its secret is set (verify: ${verify.scheme})`
      : null,
    !verify && signingSecret !== null ? 'its secret is not used: the document has no verify' : null,
    !verify && signingSecret === null ? 'whoever knows the address may send: the document has no verify' : null,
    needsToken && verifyToken === null ? 'handshakes are refused until its verify token is set' : null,
  ]
  return notes.filter((note) => note !== null)
}

/** Throws `Invalid` for a secret that the scheme of the draft can't use. */
export function checkSecret({ verify }: Config, secret: string | null | undefined): void {
  if (typeof secret !== 'string' || verify?.scheme !== 'standard-webhooks' || !secret.startsWith('whsec_')) return
  if (
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(secret.slice(6)) &&
    secret.length > 6
  )
    return
  const message = 'what follows whsec_ has to be base64, by Standard Webhooks'
  throw new Invalid(message, [{ path: 'secret', message }])
}
