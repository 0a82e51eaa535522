import { useEffect, useRef, useState } from 'react'
import { navigate } from 'wouter/use-browser-location'
import { Confirm } from '../confirm.tsx'
import { hearFirst } from './address.ts'

/** Where somebody was going when he was asked. */
type Going = { readonly to: string } | { readonly back: true }

/** While there is something unsaved, whoever leaves the page is asked first: by a link, by Back, or by closing the tab. */
export function Leaving({ isChanged }: { readonly isChanged: boolean }) {
  const [going, setGoing] = useState<Going | null>(null)
  const isAsking = useRef(isChanged)
  useEffect(() => {
    isAsking.current = isChanged
  }, [isChanged])
  useEffect(() => keepHere(() => isAsking.current, setGoing), [])
  if (going === null) return null
  const leave = async (): Promise<void> => {
    isAsking.current = false
    if ('to' in going) navigate(going.to)
    else window.history.back()
  }
  return (
    <Confirm title="Leave without saving?" verb="Leave" danger act={leave} close={() => setGoing(null)}>
      What you changed since you saved last isn’t stored anywhere, and is lost then.
    </Confirm>
  )
}

/** Puts the address back, as if nobody had left it, and asks. */
function keepHere(isAsking: () => boolean, ask: (going: Going) => void): () => void {
  const { pathname, search } = window.location
  const here = pathname + search
  const unload = (event: BeforeUnloadEvent): void => {
    if (isAsking()) event.preventDefault()
  }
  const stop = hearFirst((event) => {
    if (!isAsking() || window.location.pathname === pathname) return
    event.stopImmediatePropagation()
    if (event.type === 'popstate') {
      window.history.pushState(null, '', here)
      ask({ back: true })
      return
    }
    const to = window.location.pathname + window.location.search
    window.history.replaceState(null, '', here)
    // Without a second entry of the same page.
    if (event.type === 'pushState') window.history.back()
    ask({ to })
  })
  window.addEventListener('beforeunload', unload)
  return () => {
    stop()
    window.removeEventListener('beforeunload', unload)
  }
}
