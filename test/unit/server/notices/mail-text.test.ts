import { describe, expect, it } from 'vitest'
import { renderMail, tellLeft } from '../../../../src/server/notices/mail-text.ts'
import { MESSAGE, NOW } from './message-fixture.ts'

const ISSUER = 'https://sts.example.com'
const HOUR_MS = 3_600_000

describe('a mail', () => {
  it('to the owner of a PAT says what ends, when, why, and what to do', () => {
    expect(renderMail(MESSAGE, ISSUER, NOW)).toEqual({
      subject: 'Your token laptop stops working in 7 days',
      text: `Hello Jane,

your personal access token "laptop" (pat_012345…) in the organization acme stops working in 7 days: on 8 March 2026, 09:30 UTC. The expiry policy allows no longer life.

If you still need it, rotate it before then, or make a new one. If you do not, revoke it.

Patmint at https://sts.example.com
`,
      html: `<p>Hello Jane,</p>
<p>your personal access token &quot;laptop&quot; (pat_012345…) in the organization acme stops working in 7 days: on 8 March 2026, 09:30 UTC. The expiry policy allows no longer life.</p>
<p>If you still need it, rotate it before then, or make a new one. If you do not, revoke it.</p>
<p>Patmint at https://sts.example.com</p>
`,
    })
  })

  it('about an API key is for whoever reads it', () => {
    const credential = {
      ...MESSAGE.credential,
      kind: 'organization',
      name: 'ci',
      prefix: 'key_012345',
    } as const
    const mail = renderMail({ ...MESSAGE, credential, owner: null, cause: 'idle_timeout' }, ISSUER, NOW)
    expect(mail.subject).toBe('API key ci stops working in 7 days')
    expect(mail.text).toBe(`Hello,

the API key "ci" (key_012345…) in the organization acme stops working in 7 days: on 8 March 2026, 09:30 UTC. The expiry policy ends what is not used for some time. Using it once is enough to keep it.

If it is still needed, rotate it before then, or make a new one. If it is not, revoke it.

Patmint at https://sts.example.com
`)
  })

  it('shows hostile names as text, and has one line for a subject', () => {
    const name = '<img src=x onerror="alert(1)">&\r\nBcc: eve@evil.test\u2028'
    const owner = { ...MESSAGE.owner, id: '1', email: 'a@b.test', name: "<b>O'Neil</b>" }
    const mail = renderMail({ ...MESSAGE, owner, credential: { ...MESSAGE.credential, name } }, ISSUER, NOW)
    expect(mail.subject).toBe(
      'Your token <img src=x onerror="alert(1)">& Bcc: eve@evil.test stops working in 7 days',
    )
    expect(mail.html).toContain('<p>Hello &lt;b&gt;O&#39;Neil&lt;/b&gt;,</p>')
    expect(mail.html).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp; Bcc: eve@evil.test')
    expect(mail.html.replaceAll(/<\/?p>/g, '')).not.toMatch(/[<>]/)
  })
})

describe('what is left', () => {
  it.each([
    [30 * 24, '30 days'],
    [7 * 24 - 1, '7 days'],
    [37, '2 days'],
    [36, '36 hours'],
    [24, '1 day'],
    [23.4, '23 hours'],
    [1, '1 hour'],
    [0.01, '1 hour'],
  ])('of %d hours is %s', (hours, text) => {
    expect(tellLeft(hours * HOUR_MS)).toBe(text)
  })
})
