-- What the index names, and nothing else.
local keys = {}
for _, entry in ipairs(call('ZRANGE', 'catalogue', 0, -1)) do
    local project = call('HGET', entry .. '.catalogue', 'p')
    if project then
        keys[project .. '.catalogue'] = true
    end
    keys[entry .. '.catalogue'] = true
end
for key in pairs(keys) do
    call('DEL', key)
end
call('DEL', 'catalogue')
return {'ok'}
