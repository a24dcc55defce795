import { describe, expect, it } from 'vitest'
import { ResponseReader } from '../../bench/load/response-reader.ts'

const GRANTED =
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"a":"\r\n\r\n"}'
const REFUSED = 'HTTP/1.1 400 Bad Request\r\ncontent-length:2\r\nConnection: keep-alive\r\n\r\n{}'
const EMPTY = 'HTTP/1.1 204 No Content\r\nDate: Thu, 26 Nov 2026 00:00:00 GMT\r\n\r\n'

function readAll(chunks: readonly string[]): [number, string][] {
  const answers: [number, string][] = []
  const reader = new ResponseReader((status, body) => answers.push([status, body.toString()]))
  for (const chunk of chunks) reader.push(Buffer.from(chunk))
  return answers
}

describe('a response reader', () => {
  const stream = GRANTED + REFUSED + EMPTY + GRANTED
  const expected = [
    [200, '{"a":"\r\n\r\n"}'],
    [400, '{}'],
    [204, ''],
    [200, '{"a":"\r\n\r\n"}'],
  ]

  it('reads answers that come together', () => {
    expect(readAll([stream])).toEqual(expected)
  })

  it('reads answers that come byte by byte', () => {
    expect(readAll([...stream])).toEqual(expected)
  })

  it('reads answers that are split in two, wherever that is', () => {
    for (let at = 1; at < stream.length; at += 1) {
      expect(readAll([stream.slice(0, at), stream.slice(at)]), `split at ${at}`).toEqual(expected)
    }
  })

  it('tells of an answer as soon as it is whole, and not before', () => {
    expect(readAll([GRANTED.slice(0, -1)])).toEqual([])
    expect(readAll([GRANTED.slice(0, -1), '}'])).toHaveLength(1)
  })

  it('tells that the server will close the connection', () => {
    const last: boolean[] = []
    const reader = new ResponseReader((_status, _body, isLast) => last.push(isLast))
    reader.push(Buffer.from(REFUSED + REFUSED.replace('keep-alive', 'close')))
    expect(last).toEqual([false, true])
  })

  it.each([
    ['without a length', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['of another protocol', 'HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['that is none', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ])('throws on an answer %s', (_, text) => {
    expect(() => readAll([text])).toThrow('not an answer of a known length')
  })
})
