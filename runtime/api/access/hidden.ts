import { redacted, withoutSecrets } from '../../telemetry/redact.ts'

/** Paths that hold a secret: whoever knows the address of a webhook may send to it. */
const hooks = /^\/hooks(\/|$)/

export function isHook(path: string): boolean {
  return hooks.test(path)
}

/** A path as it may be written down and answered: without the secret of a webhook, or what was sent in its place. */
export function shownPath(path: string): string {
  return isHook(path) ? `/hooks/${redacted}` : withoutSecrets(path)
}
