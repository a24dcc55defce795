// What a client id may look like, and how the client of one is found.

import type { Client } from '../directory/client-store.ts'

export type LoadClient = (clientId: string) => Promise<Client | undefined>

const CLIENT_ID = /^[\x21-\x7e]{1,200}$/

/** Anything else is unknown without asking the database. */
export const mayBeClientId = (text: string): boolean => CLIENT_ID.test(text)
