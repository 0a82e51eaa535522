import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { Invalid } from './errors.ts'

/**
 * Secrets at rest: AES-256-GCM under a key derived from the option `secretKey` (SLUICE_SECRET_KEY).
 * Text form: `v1.<nonce>.<tag>.<ciphertext>`, each base64url. The version in front names the derivation, so that a later
 * one can be told apart.
 */
const version = 'v1'

export function encryptSecret(key: string, text: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', derived(key), nonce)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return [version, ...[nonce, cipher.getAuthTag(), sealed].map((part) => part.toString('base64url'))].join('.')
}

/** Throws `Invalid` when the text was encrypted with another key, or isn't a secret at all. */
export function decryptSecret(key: string, secret: string): string {
  const [prefix, nonce, tag, sealed] = secret.split('.')
  if (prefix !== version || nonce === undefined || tag === undefined || sealed === undefined)
    throw new Invalid(`this isn't a secret that the engine encrypted (it begins with no "${version}.")`)
  try {
    const decipher = createDecipheriv('aes-256-gcm', derived(key), Buffer.from(nonce, 'base64url'), {
      authTagLength: 16,
    })
    decipher.setAuthTag(Buffer.from(tag, 'base64url'))
    return decipher.update(Buffer.from(sealed, 'base64url'), undefined, 'utf8') + decipher.final('utf8')
  } catch (error) {
    const text =
      'the secret is encrypted with another key: give SLUICE_SECRET_KEY the value it had, or set the secret again'
    throw new Invalid(text, [], { cause: error })
  }
}

/** Tells whether two processes have the same key, and nothing else of it. */
export function fingerprintOf(key: string): string {
  return Buffer.from(hkdfSync('sha256', key, 'sluiceway', 'fingerprint', 8)).toString('hex')
}

const keys = new Map<string, Buffer>()

/** HKDF suits keys with enough randomness of their own; options.ts asks for at least 16 characters. */
function derived(key: string): Buffer {
  const known = keys.get(key)
  if (known) return known
  const made = Buffer.from(hkdfSync('sha256', key, 'sluiceway', 'secrets at rest', 32))
  keys.set(key, made)
  return made
}
