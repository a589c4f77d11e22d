-- What the indexes name and is of this store, and nothing else.
local keys, own = {}, {}
for _, entry in ipairs(call('ZRANGE', 'catalogue', 0, -1)) do
    local key = entry .. '.catalogue'
    local project = read(key, 'p')[1]
    if project and pool_of(project, string.sub(entry, #project + 2)) then
        if has_entries(project) then
            keys[project .. '.catalogue'] = true
        end
        keys[key] = true
        own[#own + 1] = entry
    end
end

drop(keys, 'catalogue', own)
return {'ok'}
