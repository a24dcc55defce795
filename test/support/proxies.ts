// The real proxies of docs/integrations, each run with the configuration that its document shows: only the addresses are
// replaced.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readBlocks } from './document.ts'
import { isInstalled, type RunningProxy, runProxy } from './proxy-process.ts'
import { newDataDir } from './server-process.ts'

export const PROXIES = ['nginx', 'Caddy', 'HAProxy'] as const
export type ProxyName = (typeof PROXIES)[number]

interface Program {
  /** As Debian calls the program and the package it is in. */
  readonly command: string
  /** Writes the configuration into a folder; gives the arguments that run it. */
  readonly configure: (folder: string, addresses: Addresses, alter: Alter) => readonly string[]
}

/** What a test does to a script of the document. */
type Alter = (script: string) => string

/** What stands in place of the documented addresses, each as `host:port`. */
interface Addresses {
  readonly proxy: string
  readonly patmint: string
  readonly service: string
}

const PROGRAMS: Record<ProxyName, Program> = {
  nginx: {
    command: 'nginx',
    configure: (folder, addresses) => {
      const [site = ''] = readBlocks('docs/integrations/nginx.md', 'nginx')
      write(folder, 'site.conf', place(site, 'listen 8080', `listen ${addresses.proxy}`, addresses))
      // What a distribution has in /etc/nginx/nginx.conf, for an ordinary user and a folder that goes away.
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (what) => `${what}_temp_path ${folder}/${what};`,
      )
      const http = `access_log off; ${temporary.join(' ')} include ${folder}/site.conf;`
      const whole = `daemon off; master_process off; pid ${folder}/pid; events {} http { ${http} }`
      return ['-e', 'stderr', '-p', folder, '-c', write(folder, 'nginx.conf', whole)]
    },
  },
  Caddy: {
    command: 'caddy',
    configure: (folder, addresses) => {
      const [site = ''] = readBlocks('docs/integrations/caddy.md', 'caddyfile')
      const placed = place(site, ':8080 {', `http://${addresses.proxy} {`, addresses)
      // Else it listens on a port of its own, for its administration.
      const file = write(folder, 'Caddyfile', `{\n\tadmin off\n}\n${placed}`)
      return ['run', '--adapter', 'caddyfile', '--config', file]
    },
  },
  HAProxy: {
    command: 'haproxy',
    configure: (folder, addresses, alter) => {
      const [lua = ''] = readBlocks('docs/integrations/haproxy.md', 'lua')
      const [config = ''] = readBlocks('docs/integrations/haproxy.md', 'haproxy')
      const script = write(folder, 'patmint.lua', alter(lua))
      const placed = place(config, 'bind :8080', `bind ${addresses.proxy}`, addresses)
      return ['-db', '-f', write(folder, 'haproxy.cfg', placed.replace('/etc/haproxy/patmint.lua', script))]
    },
  },
}

function write(folder: string, name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** The documented configuration at other addresses. Throws when the document does not name one of them. */
function place(text: string, listen: string, listenHere: string, { patmint, service }: Addresses): string {
  const replacements = [
    [listen, listenHere],
    ['127.0.0.1:8693', patmint],
    ['127.0.0.1:3000', service],
  ] as const
  return replacements.reduce((placed, [documented, here]) => {
    if (!placed.includes(documented)) throw new Error(`the document does not say ${documented}`)
    return placed.replaceAll(documented, here)
  }, text)
}

/** What to install where the proxy is missing; undefined where it is not. */
export function findMissing(name: ProxyName): string | undefined {
  const { command } = PROGRAMS[name]
  return isInstalled(command) ? undefined : `this machine has no ${name}: install the package ${command}`
}

/** Starts a proxy between its clients and a service at `serviceUrl`, and waits until it listens. */
export async function startProxy(
  name: ProxyName,
  patmintUrl: string,
  serviceUrl: string,
  alter: Alter = (script) => script,
): Promise<RunningProxy> {
  const folder = newDataDir()
  const [patmint, service] = [new URL(patmintUrl).host, new URL(serviceUrl).host]
  const { command, configure } = PROGRAMS[name]
  return runProxy(command, folder, (proxy) => configure(folder, { proxy, patmint, service }, alter))
}
