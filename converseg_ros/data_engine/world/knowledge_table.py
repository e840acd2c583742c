# ruff: noqa: E501 - tables read best one entry a line
"""What people call everyday things and what they know about them, one row a class.

name | other names | wider kinds | tags

`*name` is a mass noun, `+name` has only a plural, `~name` is said of it now and then (too loose to be held true).
A tag is an attribute of scenes.graph.ATTRIBUTES or a phrase of data_engine.grammar.use_phrases; `?tag` means that opinions differ.
The rows cover COCO's 80 things and 53 stuff classes and the household and workshop things of the scenes.
"""

ROWS = """
person | ~somebody, ~human, ~man, ~woman | agent | alive moves
man | ~male, ~person, ~guy, ~somebody | agent, person | alive moves
woman | ~female, ~person, ~lady, ~somebody | agent, person | alive moves
boy | ~child, ~kid, ~person, ~somebody | agent, person, child | alive moves
girl | ~child, ~kid, ~person, ~somebody | agent, person, child | alive moves
child | kid, ~person, ~somebody | agent, person, child | alive moves
hand | human hand | agent |
gripper | robot gripper, robot hand | agent |
mannequin | dress form, ~dummy | |
bicycle | bike | vehicle | ride wheels
motorcycle | motorbike, ~bike | vehicle, motor vehicle | ride wheels heavy moves
scooter | kick scooter, ~motorbike | vehicle | ride wheels
tricycle | ~bicycle, ~bike | vehicle, toy | ride wheels toy
car | automobile | vehicle, motor vehicle | ride_in wheels heavy moves
bus | ~coach | vehicle, motor vehicle | ride_in wheels heavy moves
truck | lorry, ~van | vehicle, motor vehicle | ride_in wheels heavy moves
van | ~truck, ~car | vehicle, motor vehicle | ride_in wheels heavy moves
train | railway train | vehicle | ride_in heavy moves
airplane | plane, aircraft | vehicle | ride_in heavy moves
boat | ~ship | vehicle | ride_in heavy
stroller | baby carriage, pushchair | vehicle | wheels ?sit
wheelbarrow | barrow | vehicle, tool | wheels container
trolley | cart, serving cart | vehicle | wheels supports
wheelchair | ~chair | vehicle, furniture | wheels sittable
traffic light | stoplight, traffic signal | street furniture | electric signal
fire hydrant | hydrant | street furniture | heavy
stop sign | ~road sign | street furniture | signal
parking meter | | street furniture | electric
bench | ~seat | furniture, seating | sittable lie
street lamp | street light, lamppost, ~lamp | street furniture | lights electric
mailbox | letter box | street furniture | openable container
traffic cone | cone | street furniture | light_weight
bird | | animal | alive moves
chicken | hen, ~bird | animal | alive moves
cat | kitty | animal, pet | alive moves soft
dog | ~puppy | animal, pet | alive moves ?soft
rabbit | bunny | animal, pet | alive moves soft
horse | ~pony | animal, farm animal | alive moves heavy ride
+sheep | | animal, farm animal | alive moves
cow | ~cattle, ~bull | animal, farm animal | alive moves heavy
elephant | | animal, wild animal | alive moves heavy
bear | | animal, wild animal | alive moves heavy
zebra | | animal, wild animal | alive moves heavy
giraffe | | animal, wild animal | alive moves heavy
+deer | | animal, wild animal | alive moves
aquarium | fish tank | | holds_liquid fragile heavy transparent
backpack | rucksack, ~bag, ~school bag | bag | carry wearable container graspable openable soft
handbag | purse, ~bag | bag | carry container graspable openable ?soft
suitcase | ~luggage, ~bag, ~travel case | bag | carry container openable travel_with ?graspable ?wheels
briefcase | ~bag, ~case | bag | carry container openable graspable
shopping basket | basket, ~hand basket | container | carry container graspable
clothes basket | laundry basket, ~basket, ~hamper | container | carry container
umbrella | ~parasol | | rain graspable openable
tie | necktie | clothing | wearable soft light_weight
cap | baseball cap, ~hat | clothing, headwear | wearable soft light_weight graspable
hat | ~cap | clothing, headwear | wearable soft light_weight graspable
helmet | ~hard hat | headwear | wearable protect_head graspable
glove | work glove | clothing | wearable soft light_weight graspable
jacket | coat | clothing | wearable soft
dress | | clothing | wearable soft
skirt | | clothing | wearable soft
suit | | clothing | wearable soft
+trousers | pants | clothing | wearable soft
+shorts | | clothing | wearable soft
+shoes | pair of shoes, ~footwear | clothing, footwear | wearable
+sneakers | trainers, ~shoes, ~running shoes | clothing, footwear | wearable
+slippers | house shoes, ~shoes | clothing, footwear | wearable soft
*clothing | clothes, folded clothes | | wearable soft
+glasses | eyeglasses, spectacles | accessory | wearable fragile light_weight graspable
+sunglasses | shades, ~glasses | accessory | wearable fragile light_weight graspable
watch | wristwatch | accessory | wearable time light_weight graspable
ring | finger ring | accessory | wearable choking light_weight
+keys | bunch of keys, ~key ring | small thing | unlock graspable light_weight
frisbee | flying disc | sports equipment, toy | play sport graspable light_weight
+skis | pair of skis | sports equipment | slide sport
snowboard | | sports equipment | slide sport
sports ball | ball | sports equipment, toy | play sport rolls graspable
basketball | ball | sports equipment, toy | play sport rolls graspable
soccer ball | football, ball | sports equipment, toy | play sport rolls graspable
kite | | toy | play light_weight
baseball bat | bat | sports equipment | sport graspable hit
baseball glove | mitt, baseball mitt, ~glove | sports equipment | sport wearable
skateboard | | sports equipment, vehicle | slide sport wheels ?rolls
surfboard | ~board | sports equipment | slide sport
tennis racket | racket, tennis racquet | sports equipment | sport graspable hit
table tennis bat | ping pong paddle, table tennis paddle, ~paddle | sports equipment | sport graspable hit
+darts | dart game, ~dart board | sports equipment, toy | play sharp
treadmill | running machine | sports equipment | electric heavy
exercise bike | ~bike | sports equipment | heavy
bottle | ~flask | container, drinkware | holds_liquid pours graspable drink ?fragile
wine bottle | bottle of wine, bottle | container, drinkware | holds_liquid pours graspable fragile ?drink
beer bottle | bottle of beer, bottle | container, drinkware | holds_liquid pours graspable fragile drink
medicine bottle | pill bottle, bottle | container | graspable toxic
baby bottle | bottle | container, drinkware | holds_liquid graspable drink
spray bottle | sprayer, bottle | container | holds_liquid graspable cleans toxic
flask | thermos, vacuum flask | container, drinkware | holds_liquid pours graspable drink
wine glass | ~glass, ~goblet, ~container | drinkware, dish | holds_liquid drink graspable fragile transparent tippy
cocktail glass | ~glass, ~martini glass | drinkware, dish | holds_liquid drink graspable fragile transparent tippy
glass | drinking glass, ~tumbler, ~container | drinkware, dish | holds_liquid drink graspable fragile transparent
beer glass | ~glass, ~pint glass, ~container | drinkware, dish | holds_liquid drink graspable fragile transparent
cup | ~mug, ~container | drinkware, dish | holds_liquid drink graspable ?fragile
plastic cup | cup, ~tumbler, ~container | drinkware, dish | holds_liquid drink graspable light_weight
mug | coffee mug, cup, ~container | drinkware, dish | holds_liquid drink graspable fragile
coffee cup | cup, teacup, ~mug, ~container | drinkware, dish | holds_liquid drink graspable fragile
fork | table fork | cutlery, utensil | eat_with graspable ?sharp metal_tool ?stirs
knife | ~blade | cutlery, utensil, cutting tool | cuts sharp graspable spread ?eat_with
kitchen knife | knife, ~chef's knife, ~blade | utensil, cutting tool | cuts sharp graspable
butter knife | table knife, knife | cutlery, utensil | cuts spread graspable ?sharp
knife block | knife stand | container | ?sharp
spoon | ~tablespoon, ~teaspoon | cutlery, utensil | eat_with stirs scoops graspable
wooden spoon | spoon, cooking spoon | utensil | stirs scoops graspable
ladle | soup ladle | utensil | stirs scoops pours graspable
spatula | turner | utensil | graspable flip ?stirs
whisk | | utensil | graspable stirs
rolling pin | | utensil | graspable rolls ?hammers
chopsticks | pair of chopsticks | cutlery, utensil | eat_with graspable ?stirs
utensil pot | utensil holder | container | contain_small
bowl | ~dish | dish, container | holds_liquid container graspable mix ?fragile
plate | dinner plate, ~dish | dish | supports fragile graspable serve
oval plate | plate, serving plate, ~platter | dish | supports fragile graspable serve
saucer | ~plate | dish | supports fragile graspable
tray | serving tray | container | supports graspable serve
cutting board | chopping board, ~board | utensil | supports graspable cut_on serve
pot | cooking pot, saucepan, ~pan | cookware, container | holds_liquid graspable cook_in container
pan | frying pan, skillet | cookware | graspable cook_in
lid | pot lid, ~cover | cookware | graspable covers
kettle | tea kettle, ~teapot | cookware, container | holds_liquid pours graspable boil
teapot | ~pot, ~kettle | drinkware, container | holds_liquid pours graspable fragile
coffee press | french press, ~coffee maker | drinkware, container | holds_liquid pours graspable fragile brew
pitcher | jug, ~carafe | container, drinkware | holds_liquid pours graspable fragile
creamer | milk jug, ~pitcher | container | holds_liquid pours graspable fragile
jar | ~pot, ~container | container | contain_small graspable openable fragile
carton | milk carton | container | holds_liquid pours graspable openable
milk | | drink | holds_liquid drinkable pours graspable
can | tin, ~tin can, ~jar | container | graspable
salt shaker | ~salt, ~pepper mill, ~shaker | container | season graspable
spice rack | spice tower, ~spices | | season
toaster | | kitchen appliance, appliance | electric gets_hot toast
sandwich maker | ~toaster | kitchen appliance, appliance | electric gets_hot toast
blender | ~mixer | kitchen appliance, appliance | electric mix_machine
mixer | stand mixer, ~blender | kitchen appliance, appliance | electric mix_machine
coffee maker | coffee machine, coffee brewer, espresso machine | kitchen appliance, appliance | electric gets_hot brew
kitchen scale | electronic scale, ~scale | | electric weigh
deep fryer | fryer | kitchen appliance, appliance | electric gets_hot
microwave | microwave oven, ~oven | kitchen appliance, appliance | electric openable heat_food heavy ?gets_hot
oven | ~cooker, ~stove | kitchen appliance, appliance | electric openable gets_hot heat_food bake heavy
stove | cooker, range, ~oven, ~hob | kitchen appliance, appliance | gets_hot heat_food heavy
cooktop | hob, ~stove | kitchen appliance, appliance | gets_hot heat_food
range hood | extractor hood, ~hood | kitchen appliance, appliance | electric
refrigerator | fridge | kitchen appliance, appliance | electric openable keep_cold heavy container
freezer | chest freezer, ~fridge | kitchen appliance, appliance | electric openable keep_cold heavy container
dishwasher | | kitchen appliance, appliance | electric openable heavy
washing machine | washer | appliance | electric openable heavy wash_clothes
dryer | tumble dryer | appliance | electric openable heavy gets_hot
sink | basin, ~washbasin, ~wash basin | plumbing | wash_hands ?holds_liquid ?fragile
toilet | ~lavatory, ~loo | plumbing | ?sittable ?openable ?fragile
bathtub | bath, tub | plumbing | bathe holds_liquid
shower | shower stall | plumbing | bathe
faucet | tap, water tap | plumbing | wash_hands
banana | | fruit, food | edible graspable peel
apple | | fruit, food | edible graspable rolls
orange | ~fruit | fruit, food | edible graspable rolls peel
lemon | ~fruit | fruit, food | edible graspable rolls
pear | ~fruit | fruit, food | edible graspable
tomato | | vegetable, food | edible graspable rolls
broccoli | | vegetable, food | edible
carrot | | vegetable, food | edible
onion | | vegetable, food | edible graspable rolls
potato | | vegetable, food | edible graspable rolls
*fruit | ~fruits | food | edible ?alive
*salad | | food | edible
sandwich | ~burger | food | edible ready_food
hamburger | burger, ~sandwich | food | edible ready_food
hot dog | ~sausage | food | edible ready_food
pizza | | food | edible ready_food
donut | doughnut | dessert, food | edible sweet ready_food
cake | birthday cake | dessert, food | edible sweet ready_food
cupcake | muffin, cup cake | dessert, food | edible sweet ready_food
*bread | loaf of bread, ~loaf | food | edible
bread box | | container | openable container
*cheese | | food | edible
*butter | | food | edible
steak | ~meat | food | edible
*food | ~meal | food | edible
+french fries | fries, ~chips | food | edible ready_food
*sushi | | food | edible ready_food
*sugar | ~sugar bowl | food | edible
chair | ~seat | furniture, seating | sittable
armchair | easy chair, ~chair, ~seat | furniture, seating | sittable soft heavy
office chair | desk chair, swivel chair, chair | furniture, seating | sittable
bar stool | ~stool, ~bar chair | furniture, seating | sittable
stool | ~seat | furniture, seating | sittable step_on
high chair | baby chair, ~chair | furniture, seating | sittable
ottoman | footstool, pouf, ~stool | furniture, seating | sittable soft
beach chair | deck chair, ~lounger | furniture, seating | sittable
couch | sofa, ~settee | furniture, seating | sittable lie soft heavy
bed | | furniture | lie sittable soft heavy
crib | baby bed, cot, ~bed | furniture | lie heavy
hammock | | furniture | lie
mattress | air mattress, ~bed | | lie soft
sleeping bag | | | lie soft
table | ~dining table | furniture | supports heavy
dining table | table | furniture | supports heavy
coffee table | ~low table, table | furniture | supports
bedside table | nightstand, ~table | furniture | supports container
desk | writing desk, ~table | furniture | supports heavy
workbench | ~bench, ~work table | furniture | supports heavy
counter | kitchen counter, ~countertop, ~worktop | furniture, surface | supports
kitchen island | island, ~counter | furniture, surface | supports heavy
shelf | shelves, ~rack | furniture, storage | supports container
bookcase | bookshelf, ~shelf | furniture, storage | supports container heavy
cabinet | cupboard, ~closet | furniture, storage | container openable heavy
wall cabinet | upper cabinet, cabinet, ~cupboard | furniture, storage | container openable heavy
drawer | | storage | container openable
dresser | chest of drawers, ~drawers | furniture, storage | container openable heavy supports
wardrobe | closet, ~cupboard | furniture, storage | container openable heavy
filing cabinet | ~cabinet | furniture, storage | container openable heavy
locker | ~cabinet | furniture, storage | container openable heavy
safe | strongbox | furniture, storage | container openable heavy
chest | trunk, ~box | furniture, storage | container openable heavy
TV stand | television cabinet, ~cabinet | furniture, storage | supports heavy
coat rack | clothes rack, ~coat stand | furniture | hang
clothes hanger | coat hanger, hanger | | hang graspable
drying rack | clothes horse | furniture | hang
box | ~carton, ~package | container | container openable
cardboard box | carton box, box, ~carton | container | container openable flammable
crate | ~box, ~wooden box | container | container graspable
barrel | ~drum | container | container heavy rolls
basket | | container | container graspable
trash can | garbage can, waste bin, dustbin, bin, ~wastebasket | container | trash container
recycling bin | bin, ~trash can | container | trash container
bucket | pail | container | holds_liquid container graspable
watering can | | container, tool | holds_liquid pours graspable water_plants
potted plant | plant, houseplant, ~pot plant | plant | needs_water alive plant
tree | | plant | alive
cactus | ~plant | plant | alive sharp
bush | shrub, ~hedge | plant | alive
flower | ~blossom, ~bouquet | plant | alive
hedge | ~bush | plant | alive
vase | flower vase | container | holds_liquid flowers fragile graspable tippy
flower pot | plant pot, ~pot | container | fragile
TV | television, ~screen, ~monitor | electronics | electric watch_screen fragile
monitor | computer monitor, computer screen, screen | electronics | electric watch_screen fragile
laptop | notebook computer, ~computer | electronics | electric type_on watch_screen openable fragile
computer | desktop computer | electronics | electric
tablet | tablet computer | electronics | electric watch_screen fragile
mouse | computer mouse | electronics | electric click graspable light_weight
remote | remote control | electronics | electric ?fragile switch_channel graspable light_weight
keyboard | computer keyboard | electronics | electric type_on
cell phone | mobile phone, phone, smartphone | electronics | electric ?fragile call graspable
phone | telephone | electronics | electric call graspable
printer | | electronics | electric print_paper heavy
projector | video projector | electronics | electric
DVD player | ~video player | electronics | electric
radio | | electronics | electric listen
stereo | hi-fi, ~music system | electronics | electric listen
speaker | loudspeaker | electronics | electric listen
+headphones | headset | electronics | electric listen wearable graspable
camera | photo camera, reflex camera | electronics | electric photograph graspable fragile
surveillance camera | security camera, CCTV camera, ~camera | electronics | electric
game console | PlayStation, ~console | electronics | electric play
joystick | game controller, ~controller | electronics | electric play graspable
book | | reading material | readable graspable flammable
notebook | ~book, ~notepad | reading material | readable write_on graspable flammable
magazine | ~newspaper | reading material | readable graspable flammable
newspaper | ~paper | reading material | readable graspable flammable
calendar | | reading material | readable
*paper | sheets of paper, ~papers | | write_on flammable light_weight
whiteboard | white board | | write_on
clock | ~wall clock | | time ?fragile ?electric
vase lamp | lamp | lamp, light | electric lights
lamp | ~light | light | electric lights
desk lamp | table lamp, lamp, ~light | light | electric lights
floor lamp | standing lamp, lamp, ~light | light | electric lights
ceiling lamp | pendant lamp, hanging lamp, ~lamp, ~light | light | electric lights
flashlight | torch | light, tool | electric lights graspable
lantern | ~lamp | light | lights
light | ~lamp | light | lights electric ?fragile
candle | | light | lights graspable flame
+scissors | pair of scissors | cutting tool, tool | cuts sharp graspable cut_paper
saw | hand saw | cutting tool, tool, workshop tool | cuts sharp graspable
hammer | | tool, workshop tool | hammers graspable heavy_tool
mallet | ~hammer | tool, workshop tool | hammers graspable
screwdriver | | tool, workshop tool | screws graspable ?sharp
wrench | spanner | tool, workshop tool | tighten graspable
+pliers | pair of pliers | tool, workshop tool | grip_tool graspable
drill | power drill, electric drill | tool, workshop tool | drills electric graspable ?sharp
grinder | angle grinder | tool, workshop tool | electric graspable sharp
tape measure | measuring tape | tool, workshop tool | measures graspable
ruler | | tool, stationery | measures graspable draw_line
*tape | roll of tape, sticky tape, adhesive tape | stationery | stick graspable
glue | glue bottle | stationery | stick graspable
ladder | ~stepladder | tool | climbable
step ladder | stepladder, ladder | tool | climbable
shovel | spade | tool | dig graspable
broom | ~brush | cleaning tool | cleans sweep graspable
brush | scrubbing brush | cleaning tool | cleans graspable
mop | | cleaning tool | cleans graspable
toilet brush | ~brush | cleaning tool | cleans graspable
sponge | | cleaning tool | cleans wipe soft graspable light_weight
*soap | bar of soap | cleaning tool | cleans wash graspable
towel | ~cloth | linen | dry_with soft graspable wipe
paper towel | kitchen roll, ~paper | linen | dry_with wipe graspable flammable light_weight
*toilet paper | toilet roll | | soft graspable flammable light_weight
hair drier | hairdryer, hair dryer, blow dryer | appliance | electric graspable dry_hair gets_hot
toothbrush | ~brush | bathroom item |  brush_teeth graspable light_weight
comb | ~hair brush | bathroom item | comb_hair graspable light_weight
lipstick | | bathroom item | choking graspable light_weight
iron | clothes iron | appliance | electric gets_hot graspable
vacuum cleaner | vacuum | appliance | electric cleans
fan | table fan, electric fan | appliance | electric cool_down
ceiling fan | ~fan | appliance | electric cool_down
radiator | heater | appliance | gets_hot heavy
fireplace | | | gets_hot
air conditioner | air conditioning unit | appliance | electric cool_down
socket | power outlet, wall socket, electrical outlet | electrical fitting | plug_in shock
plug | power plug | electrical fitting | graspable
switch | light switch, wall switch | electrical fitting | press
extension cord | power strip, ~cable | electrical fitting | plug_in
fire extinguisher | extinguisher | | put_out_fire heavy graspable
smoke detector | smoke alarm | | electric
pen | ~biro, ~pencil | stationery | writes graspable light_weight
pencil | ~pen | stationery | writes graspable light_weight
marker | text marker, felt pen, ~pen | stationery | writes graspable light_weight
stapler | | stationery | stick graspable
pen holder | pencil cup, penbox | container, stationery | contain_small
letter tray | paper tray, ~tray | stationery | container
teddy bear | stuffed bear, ~stuffed animal, ~plush toy | toy | toy play soft graspable light_weight
doll | | toy | toy play graspable light_weight
toy car | car model, model car | toy | toy play rolls graspable light_weight
toy train | ~train set | toy | toy play graspable light_weight
toy | ~plaything | toy | toy play graspable light_weight
puzzle | jigsaw puzzle | toy | toy play choking
building block | toy block, wooden block, ~block | toy | toy play graspable choking
chessboard | chess set | toy, game | play
playing cards | card game, deck of cards | toy, game | play
rocking horse | ~toy horse, ~horse | toy | toy play ?ride ?sittable ?lie
doll house | dollhouse | toy | toy play
xylophone | | toy, musical instrument | toy play music
piano | upright piano, grand piano | musical instrument | music heavy
guitar | electric guitar | musical instrument | music graspable
pillow | cushion | linen | soft rest_head graspable light_weight flammable
blanket | ~throw | linen | soft warm flammable
rug | carpet, ~mat | flooring | soft
bath mat | doormat, mat, ~rug | flooring | soft
curtain | ~drapes | linen | soft flammable
window blind | blinds, ~shade | |
mirror | | | reflects fragile
picture frame | picture, framed picture, ~painting | | fragile
gift | present, wrapped gift | container | openable
door | | building part | openable
window | | building part | ?openable fragile transparent
+stairs | staircase, steps | building part | climbable
floor | ~ground | surface, building part | walk_on
wooden floor | floor, hardwood floor | surface, building part | walk_on
wall | | building part |
brick wall | wall | building part |
stone wall | wall | building part |
tiled wall | wall, tile wall, ~tiles | building part |
wooden wall | wall | building part |
ceiling | | building part |
roof | | building part |
building | ~house | |
house | ~building | building part |
bridge | | |
fence | railing | |
tent | ~camping tent | | shelter
net | | |
banner | ~sign | | readable
cardboard | ~box | | flammable
platform | ~train platform | surface | walk_on
*grass | lawn, ~field | ground | walk_on ?alive ?soft
*sand | ~beach | ground | walk_on ?soft
*snow | | ground | walk_on cold ?soft
*gravel | ~stones | ground | walk_on
*dirt | soil, ~ground | ground | walk_on
road | street | ground, surface | walk_on
sidewalk | pavement, ~walkway | ground, surface | walk_on
playing field | ~field, ~pitch | ground | walk_on
railroad | railway track, train tracks, ~rails | ground |
mountain | ~hill | |
rock | ~stone, ~stones | | heavy
*sea | ocean, ~water | water | swim
river | ~water, ~stream | water | swim
*water | | water | swim
*sky | | |
cardigan | ~jacket | clothing | wearable soft
pallet | wooden pallet | | supports heavy
chimney | | |
thermometer | | | measures graspable fragile
dog house | kennel | |
paint can | can of paint, ~can | container | toxic graspable flammable spills
yogurt bottle | bottle of yogurt, bottle | container, food | edible
cereal box | box of cereal, box | container, food | edible ready_food
medicine box | pill box, box | container | toxic
open box | box, ~carton | container |
food container | storage container, ~lunch box, ~box | container |
roast chicken | roasted chicken, ~chicken | food | edible ready_food
sugar bowl | ~bowl, ~sugar pot | container, dish | fragile
moka pot | espresso maker, coffee maker, ~pot | cookware, container | pours brew
tape roll | roll of tape, tape | stationery | stick graspable
brick | ~stone | | heavy_tool graspable
calculator | pocket calculator | electronics, stationery | electric graspable
desk phone | office phone, telephone, phone | electronics | electric call
kitchen tools | cooking utensils | utensil |
paper towel holder | kitchen roll holder, ~paper towel, ~kitchen roll | | wipe
squeezer | lemon squeezer, citrus press | utensil | graspable
+flowers | bunch of flowers, ~flower, ~bouquet | plant | alive
soap dispenser | ~soap bottle, ~soap, ~bottle | bathroom item | wash
perfume bottle | bottle of perfume, perfume, bottle, ~vase | container, bathroom item | fragile
cosmetics jar | cream jar, jar | container, bathroom item |
banknote | bill, ~money | | light_weight
ashtray | ~bowl | container |
toy plane | toy airplane, model plane, ~airplane | toy | play graspable
puzzle cube | magic cube, ~toy | toy | play graspable
chess board | chessboard, ~chess set | toy, game | play
figurine | ~statue, ~toy | | fragile
padlock | ~lock | | graspable
rice cooker | ~cooker | kitchen appliance, appliance | electric cook_in gets_hot
grill | barbecue, ~stove | appliance | gets_hot cook_in
toilet paper holder | ~toilet roll, ~toilet paper | bathroom item |
potty | child's potty | | sittable
tool box | toolbox, ~box | container | openable
washbasin | wash basin, ~sink, ~basin | plumbing | wash_hands
water cooler | water dispenser | appliance | electric ?pours
ironing rack | ironing board, ~drying rack | furniture |
bleach | bleach bottle, cleaning product, bottle | container | toxic graspable cleans holds_liquid
soup cup | soup bowl, ~bowl, ~cup, ~mug, ~coffee cup, ~pot, ~pan, ~cooking pot, ~saucepan, ~cookware, ~drinkware, ~container | dish | holds_liquid container graspable fragile ?drink
candle holder | ~candle, ~lantern, ~lamp, ~cup, ~vase | | ?lights ?flame
clay pot | pot, ~jar, ~vase, ~bowl, ~flower pot | container | fragile ?holds_liquid ?graspable ?flowers
piano keyboard | synthesizer, ~keyboard, ~piano | musical instrument | electric music ?play
bath sponge | ~sponge, ~ball, ~sports ball, ~toy | bathroom item | soft light_weight ?cleans ?wipe ?graspable ?wash ?play ?rolls
lidded jug | jug, pitcher, ~teapot, ~coffee pot, ~mug, ~cup, ~kettle, ~pot | container | holds_liquid pours graspable fragile ?drink ?openable
hairbrush | hair brush, ~brush, ~comb | bathroom item | comb_hair graspable light_weight ?cleans
detergent | detergent bottle, cleaning product, bottle | container | toxic graspable cleans holds_liquid
"""

# COCO's own spelling of a class -> a row above.
COCO_NAMES = {
    'tv': 'TV',
    'mirror-stuff': 'mirror',
    'door-stuff': 'door',
    'floor-wood': 'wooden floor',
    'playingfield': 'playing field',
    'wall-brick': 'brick wall',
    'wall-stone': 'stone wall',
    'wall-tile': 'tiled wall',
    'wall-wood': 'wooden wall',
    'water-other': 'water',
    'window-blind': 'window blind',
    'window-other': 'window',
    'tree-merged': 'tree',
    'fence-merged': 'fence',
    'ceiling-merged': 'ceiling',
    'sky-other-merged': 'sky',
    'cabinet-merged': 'cabinet',
    'table-merged': 'table',
    'floor-other-merged': 'floor',
    'pavement-merged': 'sidewalk',
    'mountain-merged': 'mountain',
    'grass-merged': 'grass',
    'dirt-merged': 'dirt',
    'paper-merged': 'paper',
    'food-other-merged': 'food',
    'building-other-merged': 'building',
    'house': 'building',
    'rock-merged': 'rock',
    'wall-other-merged': 'wall',
    'rug-merged': 'rug',
}
