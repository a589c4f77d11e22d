-- What the indexes name and is of this store, and nothing else.
local keys, own = {}, {}
for _, name in ipairs(call('ZRANGE', 'flavors', 0, -1)) do
    local key = name .. '.flavors'
    local fields = read(key, 'f', 'p')
    local project = fields[2]
    if fields[1] == name then
        if has_flavors(project) then
            keys[project .. '.flavors'] = true
        end
        keys[key] = true
        own[#own + 1] = name
    end
end

drop(keys, 'flavors', own)
return {'ok'}
