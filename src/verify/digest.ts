// SHA-256 of a text: at once where the platform can, else by Web Crypto, which takes a turn of the event loop and thirty
// times as long.

const encoder = new TextEncoder()

/** The digest in an encoding that is the same for the life of the process. */
export const digest: (text: string) => string | Promise<string> = findDigest() ?? digestBySubtle

interface Platform {
  readonly process?: { readonly getBuiltinModule?: (name: 'node:crypto') => NodeCrypto | undefined }
}

interface NodeCrypto {
  readonly hash?: (algorithm: 'sha256', text: string, encoding: 'base64url') => string
}

/** Node, Deno and Bun have it; a Worker may. Looked up, as an import would be an error where there is none. */
function findDigest(): ((text: string) => string) | undefined {
  const { hash } = (globalThis as Platform).process?.getBuiltinModule?.('node:crypto') ?? {}
  return hash && ((text) => hash('sha256', text, 'base64url'))
}

export async function digestBySubtle(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)))
  return String.fromCharCode(...bytes)
}
