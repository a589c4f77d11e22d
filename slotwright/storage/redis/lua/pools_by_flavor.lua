-- flavor; '' are the pools that have none
local flavor = ARGV[1]
local answer = {'ok'}
if flavor == '' then
    add_unflavored(answer)
elseif has_pools(flavor) then
    add_pools(answer, flavor .. '.pools')
end
return answer
