/** The texts of a form. */
type TextName<Form> = {
  [Name in keyof Form]-?: Form[Name] extends string ? Name : never;
}[keyof Form] &
  string;

/**
 * What binds a field to a text of a form: its value, its change, and what is wrong with it.
 *
 * @param at what is wrong at a JSON Pointer
 */
export const bind =
  <Form extends object>(
    form: Form,
    change: (changes: Partial<Form>) => void,
    at: (path: string) => string | undefined = () => undefined,
  ) =>
  (name: TextName<Form>, path?: string) => ({
    value: form[name] as string,
    onChange: (value: string) => change({ [name]: value } as Partial<Form>),
    error: path === undefined ? undefined : at(path),
  });
