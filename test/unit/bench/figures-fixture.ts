import type { Figures } from '../../bench/meter/figures.ts'
import type { Row, Verification } from '../../bench/report/report.ts'

export const makeFigures = (part: Partial<Figures> = {}): Figures => ({
  perSecond: 1000,
  p50Ms: 1,
  p99Ms: 2,
  serverCpuMs: 0.1,
  postgresCpuMs: 0,
  loadCpuMs: 0.02,
  reads: 0,
  writes: 0,
  rssBytes: 100 * 2 ** 20,
  otherCores: 0,
  requests: 1000,
  failures: 0,
  statuses: { 200: 1000 },
  ...part,
})

export const makeRow = (
  id: string,
  closed: Partial<Figures> | null,
  open: Partial<Figures> | null = null,
): Row => ({
  id,
  name: `row ${id}`,
  connections: 64,
  closed: closed && makeFigures(closed),
  open: open && { ...makeFigures(open), arrivingPerSecond: 550 },
})

export const makeVerification = (id: string, part: Partial<Verification> = {}): Verification => ({
  id,
  name: `verification ${id}`,
  algorithm: 'ES256',
  cpuMicroseconds: 100,
  perReference: 1,
  microseconds: 120,
  ...part,
})
