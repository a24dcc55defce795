// Koa contexts for tests: real ones, over a request and a response that no connection carries.

import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import Koa, { type Context } from 'koa'

export interface FakeRequest {
  readonly url?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly remoteAddress?: string
}

export function createContext({
  url = '/',
  method = 'GET',
  headers = {},
  remoteAddress,
}: FakeRequest = {}): Context {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress })
  const request = Object.assign(new IncomingMessage(socket), { url, method, headers })
  // Koa's own start: not found until somebody answers.
  const response = Object.assign(new ServerResponse(request), { statusCode: 404 })
  return new Koa().createContext(request, response) as Context
}
