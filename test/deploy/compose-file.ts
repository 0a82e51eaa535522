import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

interface Service {
  readonly image: string
  readonly build?: string
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly networks?: readonly string[]
  readonly network_mode?: string
  readonly profiles?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly deploy?: { readonly replicas: number }
  readonly restart?: string
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { internal?: boolean }>>
  readonly configs: Readonly<Record<string, { content: string }>>
}

export const composeText = readFileSync('compose.yaml', 'utf8')
export const compose = parse(composeText, { merge: true }) as ComposeFile

/** A service of compose.yaml; throws when there is none of that name. */
export function service(name: string): Service {
  const found = compose.services[name]
  if (!found) throw new Error(`compose.yaml has no service ${name}`)
  return found
}

/** The services that run our image, by name. */
export const ours = Object.entries(compose.services).filter(([, { image }]) => image.startsWith('sluiceway:'))

/** As compose puts it in when the environment has no values: `${NAME:-default}`. */
export const withDefaults = (text: string): string => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')

/** The URL that a service's health check asks. */
export function healthUrl(name: string): URL {
  const found = /http:\/\/[^'" ]+/.exec((service(name).healthcheck?.test ?? []).join(' '))
  if (!found) throw new Error(`the health check of ${name} asks no URL`)
  return new URL(found[0])
}
