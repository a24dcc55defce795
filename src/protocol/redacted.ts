// What must not be printed: prints as `[redacted]` wherever it ends up by accident.

const TEXT = '[redacted]'

export class Redacted {
  toString(): string {
    return TEXT
  }

  toJSON(): string {
    return TEXT
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return TEXT
  }
}
