// As much of the Dockerfile language as our Dockerfile uses, read and carried out in plain folders. What is not
// understood throws, so that a new instruction cannot slip past the test unnoticed.

import { chmod, cp, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'

export interface Step {
  readonly instruction: string
  /** `--from=build` and the like. */
  readonly flags: Readonly<Record<string, string>>
  readonly text: string
}

export interface Stage {
  readonly base: string
  readonly name: string | undefined
  readonly steps: readonly Step[]
}

/** A folder that plays the root file system of a stage. */
export interface Folders {
  readonly context: string
  readonly rootOf: (stage: string) => string
  readonly run: (command: string, folder: string) => Promise<unknown>
}

const INSTRUCTION = /^([A-Z]+)\s+((?:--[a-z-]+=\S+\s+)*)(.+)$/
const KNOWN = new Set([
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'RUN',
  'USER',
  'VOLUME',
  'WORKDIR',
])

/** Reads a Dockerfile whose instructions take one line each. */
export function parseDockerfile(source: string): Stage[] {
  const stages: { base: string; name: string | undefined; steps: Step[] }[] = []
  for (const line of source.split('\n').filter((one) => one.trim() !== '' && !one.startsWith('#'))) {
    const [, instruction = '', flags = '', text = ''] = INSTRUCTION.exec(line) ?? []
    if (!KNOWN.has(instruction) || line.endsWith('\\')) throw new Error(`not understood: ${line}`)
    if (instruction === 'FROM') {
      const [base = '', , name] = text.split(/\s+/)
      stages.push({ base, name, steps: [] })
    } else {
      stages.at(-1)?.steps.push({ instruction, flags: parseFlags(flags), text })
    }
  }
  return stages
}

function parseFlags(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/--([a-z-]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  )
}

/** The text of the instruction a stage has once; throws when it has none or several. */
export function only(stage: Stage, instruction: string): string {
  const [step, another] = stage.steps.filter((one) => one.instruction === instruction)
  if (!step || another) throw new Error(`not exactly one ${instruction}`)
  return step.text
}

/** The words of an instruction in exec form; throws when a shell would run it. */
export function execForm(text: string): string[] {
  const words: unknown = JSON.parse(text)
  if (!Array.isArray(words)) throw new Error(`not in exec form: ${text}`)
  return words.map(String)
}

export function environmentOf(stage: Stage): Record<string, string> {
  const settings = stage.steps.filter(({ instruction }) => instruction === 'ENV').map(({ text }) => text)
  return Object.fromEntries(
    settings.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  )
}

/** Copies what `.dockerignore` lets through: it refuses everything and names what is let in. */
export async function copyContext(repository: string, context: string): Promise<void> {
  const lines = (await readFile(join(repository, '.dockerignore'), 'utf8')).split('\n')
  const [first, ...rest] = lines.filter((line) => line.trim() !== '' && !line.startsWith('#'))
  if (first !== '*') throw new Error('.dockerignore does not start by refusing everything')
  await mkdir(context, { recursive: true })
  for (const line of rest) {
    if (!/^![\w.-]+$/.test(line)) throw new Error(`not understood in .dockerignore: ${line}`)
    await cp(join(repository, line.slice(1)), join(context, line.slice(1)), { recursive: true })
  }
}

/** Carries out COPY and RUN of a stage in its folder; gives the folder it ends in. */
export async function buildStage(stage: Stage, folders: Folders): Promise<string> {
  const root = folders.rootOf(stage.name ?? '')
  let folder = root
  for (const { instruction, flags, text } of stage.steps) {
    if (instruction === 'WORKDIR') {
      folder = join(root, text)
      await mkdir(folder, { recursive: true })
    } else if (instruction === 'COPY') {
      await copy(text, flags, folder, flags['from'] ? folders.rootOf(flags['from']) : folders.context)
    } else if (instruction === 'RUN') {
      await folders.run(text, folder)
    }
  }
  return folder
}

/** COPY: a folder gives its contents, a file goes under its name into a target that ends in a slash. */
async function copy(text: string, flags: Step['flags'], folder: string, from: string): Promise<void> {
  const paths = text.split(/\s+/)
  const target = join(folder, paths.pop() ?? '')
  for (const path of paths) {
    const isFile = (await stat(join(from, path))).isFile()
    const destination = isFile && target.endsWith('/') ? join(target, basename(path)) : target
    await cp(join(from, path), destination, { recursive: true, verbatimSymlinks: true })
    if (flags['chmod']) await chmodAll(destination, Number.parseInt(flags['chmod'], 8))
  }
}

async function chmodAll(path: string, mode: number): Promise<void> {
  await chmod(path, mode)
  const entries = await readdir(path, { recursive: true }).catch(() => [])
  for (const entry of entries) await chmod(join(path, entry), mode)
}
