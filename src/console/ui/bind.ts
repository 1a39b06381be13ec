/** Names of a form's text fields. */
type TextName<Form> = {
  [Name in keyof Form]-?: Form[Name] extends string ? Name : never;
}[keyof Form] &
  string;

/**
 * Properties that bind an input to a text of a form: value, change handler and error.
 *
 * @param at the error at a JSON Pointer
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
