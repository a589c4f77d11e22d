-- flavor; '' are the pools that have none
local flavor = ARGV[1]
local answer = {'ok'}
if flavor ~= '' then
    if has_pools(flavor) then
        for _, name in ipairs(call('ZRANGE', flavor .. '.pools', 0, -1)) do
            add_pool(answer, name)
        end
    end
    return answer
end
for _, name in ipairs(call('ZRANGE', 'pools', 0, -1)) do
    if not call('HGET', FLAVOR_OF, name) then
        add_pool(answer, name)
    end
end
return answer
