import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import '@mantine/core/styles.layer.css'
import '@mantine/notifications/styles.layer.css'
import './styles.css'
import { takeToken } from './api/token.ts'
import { App } from './app.tsx'
import { preload } from './pages/routes.ts'
import { hearOfAddresses } from './parts/leaving/address.ts'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
// Before anything else could read or send the address.
const token = takeToken()
hearOfAddresses()
preload(window.location.pathname)
createRoot(root).render(
  <StrictMode>
    <App token={token} />
  </StrictMode>,
)
