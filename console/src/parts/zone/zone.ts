import { useSyncExternalStore } from 'react'
import type { Zone } from './moment.ts'

/** As with light and dark, the browser remembers it. */
const place = 'sluice-times'
const listeners = new Set<() => void>()

function read(): Zone {
  try {
    return localStorage.getItem(place) === 'utc' ? 'utc' : 'local'
  } catch {
    // A browser that may keep nothing.
    return 'local'
  }
}

let zone = read()
// Another tab has chosen.
window.addEventListener('storage', ({ key }) => key === place && take(read()))

function take(chosen: Zone): void {
  zone = chosen
  for (const listener of listeners) listener()
}

export function chooseZone(chosen: Zone): void {
  take(chosen)
  try {
    localStorage.setItem(place, chosen)
  } catch {
    // Then it holds until the page is loaded anew.
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useZone(): Zone {
  return useSyncExternalStore(subscribe, () => zone)
}
