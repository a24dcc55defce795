// A message for tests.

import type { Message } from '../../../../src/server/notices/message.ts'

export const NOW = new Date('2026-03-01T12:00:00Z')

export const MESSAGE: Message = {
  id: '019cb1d5-0000-7000-8000-000000000001',
  createdAt: NOW,
  days: 7,
  endsAt: new Date('2026-03-08T09:30:00Z'),
  cause: 'max_lifetime',
  credential: { id: '0123456789abcdef', kind: 'personal', name: 'laptop', prefix: 'pat_012345' },
  organization: 'acme',
  owner: { id: '019cb1d5-0000-7000-8000-000000000002', name: 'Jane', email: 'jane@acme.test' },
}
