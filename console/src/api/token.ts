const pattern = /^#token=([^&]+)$/

/**
 * A token in the fragment of the address, as `sluice dev` prints it: no browser sends a fragment to a server. It is taken out of the
 * address at once, so that it stands in no history and in no link that is copied.
 */
export function takeToken(): string | null {
  const found = pattern.exec(window.location.hash)?.[1]
  if (found === undefined) return null
  window.history.replaceState(null, '', window.location.pathname + window.location.search)
  return decoded(found)
}

/** What is no text then is no token either: the engine says so. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
