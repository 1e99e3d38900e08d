/**
 * What a grant is when two tabs of one application add to it at the same moment, as SQL for
 * `insert into oidc_grants as g ... on conflict`: what both were given. Each of them read the grant
 * before the other wrote it, so the later one would otherwise take away what the code of the first
 * is already on its way for.
 *
 * Nothing is kept of a grant of somebody else, or of one that has expired.
 *
 * @param now the placeholder of the moment
 */
export function mergedGrant(now: string): string {
  return `case
    when g.user_id is distinct from excluded.user_id or g.expires_at <= ${now}::timestamptz
      then excluded.payload
    else excluded.payload || jsonb_strip_nulls(jsonb_build_object(
      'openid', nullif(jsonb_strip_nulls(jsonb_build_object(
        'scope', ${union(`g.payload #>> '{openid,scope}'`, `excluded.payload #>> '{openid,scope}'`)},
        'claims', (
          select jsonb_agg(distinct claim)
          from jsonb_array_elements(
            coalesce(g.payload #> '{openid,claims}', '[]')
            || coalesce(excluded.payload #> '{openid,claims}', '[]')) as claim))), '{}'),
      'resources', (
        select jsonb_object_agg(indicator, ${union(
          `g.payload -> 'resources' ->> indicator`,
          `excluded.payload -> 'resources' ->> indicator`,
        )})
        from jsonb_object_keys(
          coalesce(g.payload -> 'resources', '{}')
          || coalesce(excluded.payload -> 'resources', '{}')) as indicator)))
    end`;
}

/** The words of two texts, each once, in their order. */
function union(one: string, other: string): string {
  return `(
    select string_agg(word, ' ' order by place) from (
      select word, min(place) as place
      from unnest(string_to_array(concat_ws(' ', ${one}, ${other}), ' '))
        with ordinality as w (word, place)
      group by word) as words)`;
}
