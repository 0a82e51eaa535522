import { useEffect, useRef, useState } from 'react'
import { navigate } from 'wouter/use-browser-location'
import { Confirm } from '../confirm.tsx'
import { hearFirst } from './address.ts'

/** Where somebody was going when he was asked. */
type Going = { readonly to: string } | { readonly back: true }

interface LeavingProps {
  readonly isChanged: boolean
  /** Another address of the same page: going there is no leaving. */
  readonly own?: string
  /** What is unsaved is given up. */
  readonly left?: () => void
}

/** While there is something unsaved, whoever leaves the page is asked first: by a link, by Back, or by closing the tab. */
export function Leaving({ isChanged, own, left }: LeavingProps) {
  const [going, setGoing] = useState<Going | null>(null)
  const isAsking = useRef(isChanged)
  const ownPath = useRef(own)
  useEffect(() => {
    isAsking.current = isChanged
    ownPath.current = own
  }, [isChanged, own])
  useEffect(
    () =>
      keepHere(
        () => isAsking.current,
        (path) => path === ownPath.current,
        setGoing,
      ),
    [],
  )
  if (going === null) return null
  const leave = async (): Promise<void> => {
    isAsking.current = false
    left?.()
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
function keepHere(isAsking: () => boolean, isOwn: (path: string) => boolean, ask: (going: Going) => void): () => void {
  const { pathname, search } = window.location
  const here = pathname + search
  const unload = (event: BeforeUnloadEvent): void => {
    if (isAsking()) event.preventDefault()
  }
  const stop = hearFirst((event) => {
    const now = window.location.pathname
    if (!isAsking() || now === pathname || isOwn(now)) return
    event.stopImmediatePropagation()
    if (event.type === 'popstate') {
      window.history.pushState(null, '', here)
      ask({ back: true })
      return
    }
    const to = now + window.location.search
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
