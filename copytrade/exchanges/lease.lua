-- Leases tokens of one limit. The time is Redis' clock, so all processes count in the same slots.
-- A limit that slides is counted in tenths of its window, and two tenths longer than it lasts: what was leased in a tenth
-- may be spent at its end and arrive a tenth later. So no moment has more than the venue allows, whatever the bursts.
-- KEYS[1]: hash of the meter, what was used in each slot by its number
local window_ms, slides = tonumber(ARGV[1]), ARGV[2] == '1'
local wanted, least, ceiling = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local returned, returned_in = tonumber(ARGV[6]), tonumber(ARGV[7])
local unreported, told, told_in = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slot_ms, back = slides and window_ms / 10 or window_ms, slides and 11 or 0
local slot = math.floor(now / slot_ms)

local used, sum, gone = {}, 0, {}
local known = redis.call('HGETALL', KEYS[1])
for i = 1, #known, 2 do
  local number = tonumber(known[i])
  if not number or number < slot - back then gone[#gone + 1] = known[i] else used[number] = tonumber(known[i + 1]) end
end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end

local changed = {}
local function add(number, amount)
  used[number] = math.max((used[number] or 0) + amount, 0)
  changed[number] = true
end
if returned > 0 and used[returned_in] then add(returned_in, -returned) end
if unreported > 0 then add(slot, unreported) end
for _, amount in pairs(used) do sum = sum + amount end
if told_in == math.floor(now / window_ms) and told > sum then
  add(slot, told - sum)
  sum = told
end

local free = ceiling - sum
local granted, wait = 0, (slot + 1) * slot_ms - now
if free >= least then
  granted = math.min(wanted, free)
  add(slot, granted)
elseif slides then
  -- until enough of the oldest slots are over
  for number = slot - back, slot do
    free = free + (used[number] or 0)
    wait = (number + back + 1) * slot_ms - now
    if free >= least then break end
  end
end
for number, _ in pairs(changed) do redis.call('HSET', KEYS[1], number, tostring(used[number])) end
redis.call('PEXPIRE', KEYS[1], window_ms * 2 + 1000)
return {tostring(granted), math.ceil(wait), slot}
