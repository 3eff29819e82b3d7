import { storedJson } from './nul-text.ts';

/**
 * What SQLite has and PostgreSQL lacks, for the text that both share. `json_each` takes an array or an object and gives
 * `key` and `value` as text; where numbers are wanted the statement says `cast(value as bigint)`, which both
 * engines understand. `->>` takes an element out of such a value.
 *
 * The schema has a name that no user is called by: PostgreSQL looks for tables first, and makes new ones, in the schema of the
 * user's name where there is one.
 */
export const supportSchema = 'portico_functions';

const given = `cast(${storedJson('source')} as json)`;

export const supportStatements: readonly string[] = [
  'create schema if not exists portico_functions',
  `create or replace function portico_functions.json_each(source text) returns table (key text, value text)
    language sql immutable parallel safe rows 50
    as $$
      select cast(ordinality - 1 as text), element
      from json_array_elements_text(
        case json_typeof(${given}) when 'array' then ${given} else '[]'::json end
      ) with ordinality as elements(element, ordinality)
      union all
      select members.key, members.value
      from json_each_text(
        case json_typeof(${given}) when 'object' then ${given} else '{}'::json end
      ) as members
    $$`,
  `create or replace function portico_functions.json_element(source text, at bigint) returns text
    language sql immutable parallel safe
    as $$ select ${given} ->> at::integer $$`,
  `create or replace function portico_functions.json_member(source text, name text) returns text
    language sql immutable parallel safe
    as $$ select ${given} ->> name $$`,
  `do $$ begin
    if not exists (
      select 1 from pg_operator where oprname = '->>' and oprnamespace = 'portico_functions'::regnamespace
    ) then
      create operator portico_functions.->> (leftarg = text, rightarg = bigint, function = portico_functions.json_element);
      create operator portico_functions.->> (leftarg = text, rightarg = text, function = portico_functions.json_member);
    end if;
  end $$`,
];

/** Every session finds the functions after its own tables. */
export const sessionSetup = `select set_config('search_path', current_setting('search_path') || ', ${supportSchema}', false)`;
