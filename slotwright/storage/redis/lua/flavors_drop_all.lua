-- What the indexes name and is of this store, and nothing else.
local keys, own = {}, {}
for _, name in ipairs(call('ZRANGE', 'flavors', 0, -1)) do
    if is_flavor(name, '') then
        local key = name .. '.flavors'
        local project = call('HGET', key, 'p')
        if has_flavors(project) then
            keys[project .. '.flavors'] = true
        end
        keys[key] = true
        own[#own + 1] = name
    end
end

drop(keys, 'flavors', own)
return {'ok'}
