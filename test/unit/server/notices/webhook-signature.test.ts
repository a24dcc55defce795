import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { signWebhook } from '../../../../src/server/notices/webhook-signature.ts'

const decode = (secret: string): Buffer => Buffer.from(secret.slice('whsec_'.length), 'base64')

/** That of the specification, and of the tests of its libraries. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const OTHER = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
const PUBLISHED = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  at: new Date(1_614_265_330_000),
  body: '{"test": 2432232314}',
}

describe('the signature of a webhook', () => {
  it('is the one the specification publishes', () => {
    expect(signWebhook(PUBLISHED, [decode(SECRET)])).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('is there once for each secret, and receivers that know one of them take it', () => {
    const content = { id: 'a', at: new Date(), body: '{"name":"ä"}' }
    const headers = signWebhook(content, [decode(SECRET), decode(OTHER)])
    for (const secret of [SECRET, OTHER])
      expect(new Webhook(secret).verify(content.body, headers)).toEqual({ name: 'ä' })
  })

  it('does not hold for another body, id or time', () => {
    const content = { id: 'a', at: new Date(), body: '{}' }
    const webhook = new Webhook(SECRET)
    const headers = signWebhook(content, [decode(SECRET)])
    const later = String(Number(headers['webhook-timestamp']) + 1)
    expect(() => webhook.verify('{ }', headers)).toThrow('No matching signature found')
    expect(() => webhook.verify('{}', { ...headers, 'webhook-id': 'b' })).toThrow(
      'No matching signature found',
    )
    expect(() => webhook.verify('{}', { ...headers, 'webhook-timestamp': later })).toThrow(
      'No matching signature found',
    )
  })
})
