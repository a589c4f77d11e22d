-- What the indexes name, and nothing else.
local keys = {}
for _, name in ipairs(call('ZRANGE', 'flavors', 0, -1)) do
    local project = call('HGET', name .. '.flavors', 'p')
    if project then
        keys[project .. '.flavors'] = true
    end
    keys[name .. '.flavors'] = true
end
for key in pairs(keys) do
    call('DEL', key)
end
call('DEL', 'flavors')
return {'ok'}
