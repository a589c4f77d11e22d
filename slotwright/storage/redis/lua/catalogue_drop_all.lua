-- What the indexes name and is of this store, and nothing else.
local keys, own = {}, {}
for _, entry in ipairs(call('ZRANGE', 'catalogue', 0, -1)) do
    local key = entry .. '.catalogue'
    local project = kind_of(key) == 'hash' and call('HGET', key, 'p')
    local queue = project and string.sub(entry, #project + 2)
    if kind_of(key) == 'none' or project and is_own(key, 'p_q', queue) then
        if project and has_entries(project) then
            keys[project .. '.catalogue'] = true
        end
        keys[key] = true
        own[#own + 1] = entry
    end
end

drop(keys, 'catalogue', own)
return {'ok'}
