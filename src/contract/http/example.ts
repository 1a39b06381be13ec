/** Examples of bodies, composed member by member: from the facts of one fictional campaign, or the schema's own. Pure. */

/** What is so in the campaign. A value of `undefined` leaves an optional member out. */
export interface Facts {
  /** Members that mean the same everywhere, by name. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Members of one schema, by its title; they take precedence. */
  readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What is read of a schema. */
interface Shape {
  readonly title?: string;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
}

/**
 * The example of a body.
 *
 * @throws Error if a member has none
 */
export const exampleOf = (schema: object, facts: Facts): unknown =>
  new Composer(facts).example(schema, '');

class Composer {
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** @param place of the schema, for errors */
  example(schema: Shape, place: string): unknown {
    const { title = place, examples, properties, items, anyOf } = schema;
    if (examples) return examples[0];
    if ('const' in schema) return schema.const;
    if (schema.enum) return schema.enum[0];
    if (properties) return this.#object(properties, title);
    if (items) return [this.example(items, title)];
    if (anyOf?.[0]) return this.example(anyOf[0], title);
    throw new Error(`there is no example of ${title}`);
  }

  #object(properties: Readonly<Record<string, Shape>>, title: string): object {
    const members = Object.entries(properties).map(([name, schema]) => [
      name,
      this.#member(title, name, schema),
    ]);
    return Object.fromEntries(members.filter(([, value]) => value !== undefined)) as object;
  }

  #member(title: string, name: string, schema: Shape): unknown {
    const { members, schemas } = this.#facts;
    for (const facts of [schemas[title] ?? {}, members]) {
      if (Object.hasOwn(facts, name)) return facts[name];
    }
    return this.example(schema, `${title}.${name}`);
  }
}
