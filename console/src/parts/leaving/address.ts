/** Who is to hear of a new address before the pages do; what it stops, they don't hear of. */
type Listener = (event: Event) => void

let first: Listener | null = null

/**
 * To be called before anything is drawn: browsers call the listeners of a window in the order in which they came, and pages go to another
 * address as soon as theirs is called. `pushState` and `replaceState` are events of wouter.
 */
export function hearOfAddresses(): void {
  for (const name of ['popstate', 'pushState', 'replaceState']) window.addEventListener(name, (event) => first?.(event))
}

/** Only one at a time: of the page that is shown. Gives what ends it. */
export function hearFirst(listener: Listener): () => void {
  first = listener
  return () => {
    if (first === listener) first = null
  }
}
