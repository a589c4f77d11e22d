-- flavor, or ''. The pools that it has, else those that have none.
local flavor = ARGV[1]
if call('ZCARD', 'pools') == 0 then
    return {'none'}
end
local answer = {'ok'}
if flavor ~= '' and has_pools(flavor) then
    add_pools(answer, flavor .. '.pools')
end
if #answer == 1 then
    add_unflavored(answer)
end
return answer
