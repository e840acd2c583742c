"""The curated vocabulary: what each category is good for, and which catalogue models are of which category."""

# ruff: noqa: E501 (tables)

from dataclasses import dataclass

LIBRARIES = {'0': 'BlendSwap-CC-0', 'B': 'BlendSwap-CC-BY', 'K': 'KatorLegaz', 'R': 'Reallusion', 'S': 'Scopia'}

# category | attributes | material | kilograms a litre of its bounding box. Attributes are those of graph.ATTRIBUTES.
_CATEGORIES = """
mug | graspable container holds_liquid pours dish fragile | ceramic | 0.4
cup | graspable container holds_liquid pours dish light_weight | plastic | 0.1
glass | graspable container holds_liquid pours dish fragile transparent | glass | 0.3
coffee cup | graspable container holds_liquid dish fragile drinkable spills hot | ceramic | 0.4
bowl | graspable container holds_liquid dish fragile | ceramic | 0.3
plate | graspable supports dish fragile | ceramic | 0.7
bottle | graspable container holds_liquid pours spills | plastic | 0.7
wine bottle | graspable container holds_liquid pours spills fragile drinkable | glass | 0.7
beer bottle | graspable container holds_liquid pours spills fragile drinkable | glass | 0.6
yogurt bottle | graspable container holds_liquid pours spills drinkable edible light_weight | plastic | 0.6
baby bottle | graspable container holds_liquid drinkable | plastic | 0.5
medicine bottle | graspable container toxic light_weight choking | plastic | 0.5
can | graspable container rolls | metal | 1.0
jar | graspable container openable fragile | glass | 0.8
cereal box | graspable container openable light_weight edible flammable readable | paper | 0.15
box | graspable container openable light_weight flammable supports | paper | 0.2
medicine box | graspable container light_weight toxic readable | paper | 0.3
open box | graspable container supports | paper | 0.1
food container | graspable container openable supports | plastic | 0.5
book | graspable readable flammable supports | paper | 0.6
newspaper | graspable readable flammable light_weight | paper | 0.3
sponge | graspable cleans soft light_weight | fabric | 0.05
toy block | graspable toy light_weight supports choking | wood | 0.5
ball | graspable toy rolls light_weight | plastic | 0.1
apple | graspable edible rolls | food | 0.6
orange | graspable edible rolls | food | 0.6
lemon | graspable edible rolls | food | 0.6
tomato | graspable edible rolls soft | food | 0.6
banana | graspable edible soft | food | 0.5
bread | graspable edible soft | food | 0.25
cake | edible soft | food | 0.4
cupcake | graspable edible soft light_weight | food | 0.3
hamburger | graspable edible soft | food | 0.4
hot dog | graspable edible soft | food | 0.4
steak | graspable edible hot soft | food | 0.5
roast chicken | edible hot | food | 0.4
french fries | edible hot | food | 0.3
butter | graspable edible soft | food | 0.6
milk carton | graspable container holds_liquid pours drinkable spills | paper | 0.9
sugar bowl | graspable container dish fragile | ceramic | 0.5
salt shaker | graspable container pours light_weight | glass | 0.4
creamer | graspable container holds_liquid pours dish fragile | ceramic | 0.4
teapot | graspable container holds_liquid pours hot spills fragile openable | ceramic | 0.4
kettle | graspable container holds_liquid pours hot spills | metal | 0.5
moka pot | graspable container holds_liquid pours hot spills | metal | 0.6
coffee press | graspable container holds_liquid pours hot spills fragile transparent | glass | 0.4
fork | graspable cutlery sharp | metal | 1.0
spoon | graspable cutlery stirs | metal | 1.0
knife | graspable cutlery cuts sharp | metal | 1.0
kitchen knife | graspable cutlery cuts sharp | metal | 1.0
spatula | graspable stirs tool | plastic | 0.5
ladle | graspable stirs tool | metal | 0.4
scissors | graspable cuts sharp tool | metal | 1.0
screwdriver | graspable tool sharp | metal | 1.0
hammer | graspable hammers tool heavy | metal | 1.2
wrench | graspable tool | metal | 2.0
drill | graspable tool electric heavy | plastic | 0.5
saw | graspable tool cuts sharp | metal | 0.8
pliers | graspable tool cuts | metal | 1.0
grinder | graspable tool electric cuts sharp heavy | metal | 0.6
tape measure | graspable tool | plastic | 0.9
tape roll | graspable rolls light_weight | plastic | 0.5
brick | graspable heavy supports | stone | 1.9
marker | graspable writes light_weight | plastic | 0.6
pencil | graspable writes light_weight sharp | wood | 0.6
ruler | graspable tool light_weight | plastic | 0.5
stapler | graspable tool | plastic | 0.8
letter tray | container supports | plastic | 0.1
pen holder | container | plastic | 0.2
calendar | readable light_weight | paper | 0.2
calculator | graspable electric | plastic | 0.6
phone | graspable electric fragile readable | plastic | 1.5
desk phone | electric | plastic | 0.4
tablet | graspable electric fragile readable | plastic | 1.5
laptop | electric openable fragile readable | plastic | 0.15
computer | electric heavy appliance | plastic | 0.2
printer | electric heavy appliance | plastic | 0.25
keyboard | electric | plastic | 0.3
speaker | electric | plastic | 0.3
radio | electric graspable | plastic | 0.3
stereo | electric heavy appliance | plastic | 0.4
camera | graspable electric fragile | plastic | 0.5
headphones | graspable wearable electric light_weight | plastic | 0.1
game controller | graspable electric toy | plastic | 0.3
remote control | graspable electric light_weight | plastic | 0.7
flashlight | graspable lights electric tool | metal | 0.7
pot | graspable container holds_liquid hot heavy | metal | 0.4
frying pan | graspable container hot heavy | metal | 0.5
lid | graspable | metal | 0.5
cutting board | graspable supports | wood | 0.7
tray | graspable supports | wood | 0.2
knife block | container sharp heavy | wood | 0.6
utensil pot | container | ceramic | 0.2
kitchen tools | tool | metal | 0.1
paper towel holder | cleans flammable | paper | 0.2
spice rack | container | wood | 0.2
kitchen scale | electric | plastic | 0.3
squeezer | graspable tool | plastic | 0.2
vase | graspable container fragile | ceramic | 0.4
flowers | plant alive fragile | plant | 0.05
plant | plant alive | plant | 0.05
flower pot | plant alive | plant | 0.3
cactus | plant alive sharp | plant | 0.2
candle | graspable lights flammable | wax | 0.6
lamp | lights electric | fabric | 0.05
lantern | graspable lights | metal | 0.15
towel | graspable cleans soft flammable light_weight | fabric | 0.15
clothes | graspable wearable soft flammable | fabric | 0.15
shoes | wearable | fabric | 0.2
hat | graspable wearable soft light_weight | fabric | 0.05
helmet | graspable wearable | plastic | 0.08
glove | graspable wearable soft light_weight | fabric | 0.1
glasses | graspable wearable fragile light_weight transparent | plastic | 0.1
watch | graspable wearable light_weight choking | metal | 1.0
handbag | graspable container openable wearable | fabric | 0.2
backpack | graspable container openable wearable | fabric | 0.1
briefcase | graspable container openable | fabric | 0.3
suitcase | graspable container openable heavy | plastic | 0.15
umbrella | graspable | fabric | 0.05
soap | graspable cleans light_weight | soap | 0.9
soap dispenser | graspable cleans container | plastic | 0.7
perfume bottle | graspable fragile container flammable | glass | 0.8
lipstick | graspable light_weight choking | plastic | 0.7
cosmetics jar | graspable container openable | plastic | 0.7
comb | graspable tool light_weight | plastic | 0.2
brush | graspable tool light_weight | plastic | 0.3
toothbrush | graspable cleans light_weight | plastic | 0.3
keys | graspable light_weight choking | metal | 0.3
banknote | graspable light_weight flammable | paper | 0.5
ashtray | container hot | glass | 0.8
doll | graspable toy soft | fabric | 0.1
teddy bear | graspable toy soft light_weight | fabric | 0.05
toy car | graspable toy rolls | wood | 0.3
toy train | graspable toy rolls | wood | 0.3
toy plane | graspable toy light_weight | wood | 0.2
toy | graspable toy light_weight | wood | 0.2
xylophone | toy | wood | 0.2
puzzle cube | graspable toy light_weight | plastic | 0.8
puzzle | graspable toy light_weight choking | wood | 0.5
chess board | toy supports | wood | 0.2
playing cards | graspable toy light_weight | paper | 0.5
doll house | toy | wood | 0.05
rocking horse | toy sittable | wood | 0.05
gift | graspable openable | paper | 0.2
picture frame | fragile graspable | wood | 0.3
clock | electric fragile readable | plastic | 0.3
figurine | fragile graspable | ceramic | 0.4
thermometer | graspable | plastic | 0.3
racket | graspable toy | wood | 0.1
padlock | graspable heavy | metal | 1.5
fan | electric sharp appliance | plastic | 0.08
toaster | electric hot appliance | metal | 0.4
microwave | electric openable container hot heavy appliance | metal | 0.3
oven | electric openable container hot heavy appliance | metal | 0.3
coffee maker | electric hot appliance | plastic | 0.25
blender | electric container appliance sharp | plastic | 0.2
mixer | electric appliance heavy | metal | 0.25
rice cooker | electric hot container appliance | metal | 0.25
deep fryer | electric hot appliance | metal | 0.25
sandwich maker | electric hot appliance openable | metal | 0.3
bread box | container openable appliance | metal | 0.15
stove | electric hot supports appliance | metal | 0.5
grill | hot appliance heavy | stone | 0.6
basket | container | wood | 0.05
bucket | graspable container holds_liquid | plastic | 0.05
trash can | container | metal | 0.06
toilet brush | cleans | plastic | 0.1
toilet paper holder | cleans | metal | 0.1
potty | container sittable | plastic | 0.05
broom | graspable cleans | wood | 0.02
shovel | graspable tool | metal | 0.05
fire extinguisher | graspable heavy tool | metal | 0.5
traffic cone | light_weight | plastic | 0.02
ladder | climbable | metal | 0.03
crate | container supports | wood | 0.1
cardboard box | container supports openable flammable | paper | 0.03
barrel | container heavy | wood | 0.3
tool box | container openable tool heavy | metal | 0.3
chair | sittable furniture climbable | wood | 0.05
stool | sittable furniture climbable | wood | 0.05
armchair | sittable furniture soft | fabric | 0.06
sofa | sittable furniture soft heavy | fabric | 0.06
bench | sittable furniture | wood | 0.1
office chair | sittable furniture rolls | fabric | 0.04
high chair | sittable furniture | wood | 0.03
ottoman | sittable furniture soft | fabric | 0.05
bed | sittable furniture soft heavy | fabric | 0.06
crib | furniture container | wood | 0.04
table | supports furniture heavy | wood | 0.04
desk | supports furniture heavy | wood | 0.06
coffee table | supports furniture | wood | 0.06
nightstand | supports container openable furniture | wood | 0.15
dresser | supports container openable furniture heavy | wood | 0.15
wardrobe | container openable furniture heavy | wood | 0.06
bookcase | container supports furniture heavy | wood | 0.15
shelf | supports furniture | wood | 0.08
filing cabinet | container openable furniture heavy | metal | 0.2
cabinet | container openable furniture heavy | wood | 0.1
fridge | electric container openable appliance heavy | metal | 0.15
washing machine | electric container openable appliance heavy | metal | 0.25
dryer | electric container openable appliance heavy | metal | 0.2
toilet | sittable heavy | ceramic | 0.2
bathtub | container holds_liquid heavy | ceramic | 0.1
washbasin | container holds_liquid heavy | ceramic | 0.1
radiator | hot heavy | metal | 0.4
fireplace | hot heavy | stone | 0.3
television | electric fragile readable | plastic | 0.15
piano | electric heavy furniture | wood | 0.2
guitar | graspable fragile | wood | 0.05
aquarium | container holds_liquid fragile heavy transparent | glass | 0.9
rug | soft | fabric | 0.3
water cooler | electric container holds_liquid appliance | plastic | 0.2
safe | container openable heavy | metal | 0.8
wheelchair | sittable rolls | metal | 0.05
ironing rack | furniture | metal | 0.02
socket | electric | plastic | 0.3
woman | alive | | 1.0
man | alive | | 1.0
boy | alive | | 1.0
girl | alive | | 1.0
cat | alive soft | | 0.3
dog | alive soft | | 0.3
rabbit | alive soft | | 0.3
chicken | alive soft | | 0.3
hand | alive | | 1.0
gripper | tool electric | metal | 1.0
trolley | supports rolls | metal | 0.05
plug | graspable electric | plastic | 0.5
power strip | electric | plastic | 0.5
counter | supports furniture heavy | wood | 0.1
workbench | supports furniture heavy | wood | 0.1
floor | supports | | 0
wall | | | 0
window | openable transparent | glass | 0
door | openable | wood | 0.3
"""

# category: models (library code + folder); '=state' gives a state; '^KIND' chooses the place: t table, f floor, w wall
_MODELS = """
mug^t: K/coffee-mug
coffee cup^t: B/coffee_cup 0/caffe_final S/cup
glass^t: K/12-oz-glass K/highball-glass B/glass B/cocktailGlass 0/beerGlass
cup^t: 0/plasticCup
bowl^t: S/bowl K/bowl
plate^t: K/dinner-plate K/bread-plate
bottle^t: S/com_bath S/com_bath2_jabon_pijo
wine bottle^t: S/wine_bottle K/red-wine-bottle-01
beer bottle^t: B/beer_bottle
yogurt bottle^t: 0/yogurtBottle
baby bottle^t: 0/mamadeira
medicine bottle^t: S/medicoscopia_bottle S/medicoscopia_bottle2
medicine box^t: S/medicoscopia_box
jar^t: S/old_jar S/pottery
book^t: B/book
newspaper^t: K/newspaper
sponge^t: S/com_bath2_esponja
ball^t: B/ballonFoot 0/basketball
bread^t: 0/bread
cake^t: S/birthday_cake
cupcake^t: 0/cupcake
hamburger^t: B/hamburger
hot dog^t: 0/hotDog
steak^t: S/steak
roast chicken^t: S/roasted-chicken
french fries^t: S/frenchFries
butter^t: 0/butter
milk carton^t: 0/tetrapak
sugar bowl^t: S/sugar
salt shaker^t: B/saltShaker
creamer^t: S/creamer
teapot^t: S/teapot
kettle^t: B/boiler
moka pot^t: B/espressokettle
coffee press^t: B/coffeePress
fork^t: B/fork
spoon^t: B/spoon
knife^t: B/knife
kitchen knife^t: B/kitchenKnife
spatula^t: S/kitchen_tool1 S/kitchen_tool3
ladle^t: S/kitchen_tool2 S/kitchen_tool4
scissors^t: 0/cissors_swap
screwdriver^t: S/tournevis
hammer^t: S/marteau
drill^t: S/perceuse-electrique
saw^t: S/scie-egoine
pliers^t: S/pince-coupante
grinder^t: S/meuleuse-electrique
tape measure^t: K/tape-measure
tape roll^t: S/rouleau-de-ruban-adhesif
marker^t: 0/textMarker
ruler^t: 0/ruler
stapler^t: K/stapler
letter tray^t: S/bandeja
pen holder^t: S/penbox
calendar^t: 0/kalender
phone^t: B/mobile 0/iphone
desk phone^t: S/phone B/wirelessOfficePhone3
tablet^t: S/tablet
laptop^t: B/laptop=open K/apple-ibook-2001=open
computer^t: S/apple_pc K/apple-imac-1998
printer^t: S/inkjet_and_scanner_printer
keyboard^t: K/MIDI-keyboard
speaker^t: 0/speaker2 S/mp3_base_for_ipad B/mp3Station
radio^t: B/radio
stereo^t: S/mini_stereo S/stereo_amplifier S/dvd
camera^t: S/basic_camera S/reflex_camera
headphones^t: 0/headphones
game controller^t: S/ps4-joystick
remote control^t: S/tv-remote-control
flashlight^t: K/flashlight
pot^t: B/largePan=closed
cutting board^t: B/choppingBoard
tray^t: S/tray S/sushi_tray
knife block^t: S/kitchenKnifeStandSet
utensil pot^t: B/utensilsPot
paper towel holder^t: S/paperTowelHolder
spice rack^t: S/spiceTower
kitchen scale^t: S/electronicScale B/kitchenScale
squeezer^t: S/squeezer
vase^t: S/vase1 S/vase2 S/jar S/vase3
flowers^t: B/tulip B/tulips B/white_lily 0/orchids S/calla_lily_with_roses
plant^t: B/luckyBamboo 0/littlePlant B/succulentPlant S/bonsai-tree B/spider_plant
cactus^t: 0/cactus
candle^t: S/complements2 S/candle
lamp^t: S/desk_lamp1 S/desk_lamp2 S/little_lamp1 S/little_lamp2 S/table_lamp B/lamp 0/desklamp
lantern^t: B/campingLamp 0/JapaneseLantern
clothes^t: S/folded_clothes
hat^t: S/casquette S/chapeau
helmet^t: S/casque
glove^t: S/gant-textured
glasses^t: S/glasses B/sunglasses
watch^t: S/montre-with-pose
handbag^t: 0/handbag
soap^t: S/com_bath2_soap
perfume bottle^t: 0/flacon
lipstick^t: B/lipStick
cosmetics jar^t: 0/cosmeticsPot
comb^t: 0/comb S/com_bath2_peineta
brush^t: S/com_bath2_cepillo
keys^t: S/keys
ashtray^t: K/ashtray S/cendrier
doll^t: S/doll
teddy bear^t: 0/teddyBear
toy car^t: B/carrito-de-madera
toy train^t: B/toyTrain
toy plane^t: 0/cartoon_biplane
toy^t: 0/woodToy
xylophone^t: B/xylophone
puzzle cube^t: B/rubix2
puzzle^t: 0/housePuzzle
chess board^t: B/chessboard
playing cards^t: 0/cardGame
gift^t: B/gift
picture frame^t: S/frame1 S/frame2
clock^t: B/clock
figurine^t: 0/deer
thermometer^t: B/thermometer
racket^t: B/tableTennisBat
padlock^t: 0/numberLock
fan^t: 0/tableFan
toaster^t: S/toaster
microwave^t: B/microwave=closed
oven^t: S/small-oven=closed
coffee maker^t: K/coffee-maker S/coffee_machine 0/coffeeBrewer
blender^t: B/kitchenblender
mixer^t: 0/kitchenaid
rice cooker^t: S/cooker
deep fryer^t: S/deepFryerWithFrenchFries
sandwich maker^t: S/sandwichMaker=closed
bread box^t: B/breadBox=closed
grill^t: S/stoneGrillDevice
stove^t: S/induction-cooker-2-zones S/induction-cooker-4-zones 0/mano_cooktop
shoes^f: S/sneakers S/woman_shoes S/mocassin 0/slippers 0/bootie
backpack^f: B/backpack
briefcase^f: 0/briefcase
suitcase^f: B/suitcase
umbrella^f: 0/umbrellaFolded
basket^f: S/clothes-basket
trash can^f: K/bullet-trash-can K/recycling-bin 0/dustbin
toilet brush^f: 0/toiletBrush
potty^f: 0/potty
fire extinguisher^f: 0/fireExtinguisher
traffic cone^f: S/cone
ladder^f: S/step-ladder-wood S/step-ladder-metal
crate^f: 0/crate
cardboard box^f: S/cardboard-box=closed S/open-cardboard-box=open
barrel^f: 0/barrel
rocking horse^f: 0/caballito
doll house^f: S/doll-house
chair^f: S/chair S/chair3 S/chair4 S/tubular_chair S/plastic_chair S/white_kitchen_chair K/dining-chair B/cafe_set_mota_chair B/cafe_set_tonon_chair B/chairWithCushion B/ella_chair_f B/plaidChair B/kitchenChair B/chair3 B/chair4 0/oakChair 0/plasticChair 0/sillaBlanca 0/chair 0/antiqueChair 0/chairWithCushion 0/chair2 0/osakaChair 0/thonet
stool^f: S/kitchen_stool B/green_stool 0/stool 0/stool2 0/silla2
armchair^f: S/armchair3 S/armchair S/armchair2 S/modern_armchair K/mid-century-chair B/armchair1 B/fotel 0/armchair2 0/modernArmchair 0/winchesterArmchair
sofa^f: S/simple_sofa S/clear_sofa S/beige_sofa S/burlap_sofa S/leather_sofa S/sofa_white_beige K/futon-couch K/mid-century-sofa B/sofa2 B/sofa3 B/couch3 0/couch 0/sofa2 0/winchesterSofa
bench^f: K/bench 0/pianoBench
office chair^f: S/office_chair K/office-chair S/kids_desk_chair 0/armchair
high chair^f: S/baby_high_chair
bed^f: S/bed1 S/children_bed S/iron_bed B/juniorBed 0/bed1 0/bed2 0/bedWithTexture 0/bed3
crib^f: S/crib
nightstand^f: B/bedsideTable 0/bedsideTable2
dresser^f: B/dresserWithDrawers
wardrobe^f: S/wardrobe1 B/wardrobe B/wardrobe2 0/wardrobeWithSlidingDoors
bookcase^f: K/full-bookcase B/bookcase 0/bookcase
shelf^f: K/utility-shelving 0/verticalShelves 0/shelves S/kids_shelves
filing cabinet^f: K/filing-cabinet 0/lockedLocker
cabinet^f: 0/cupboard B/kitchenDrawersCabinet B/kitchenLowerCabinet 0/lowerCabinet 0/drawersCabinet
fridge^f: K/fridge 0/refrigerator 0/largeFridge
washing machine^f: S/clothes_washing_machine B/washing_machine
dryer^f: S/dryer_machine
toilet^f: B/toilets_unit_jay_hardy B/modernToilet 0/toiletsUnit
bathtub^f: B/bath_jay_hardy S/islandBath
washbasin^f: B/washbasin_jay_hardy 0/washbasin S/bathroom1
radiator^f: B/bathroomRadiator 0/radiator1 0/radiator3 B/modernRadiator
fireplace^f: S/fireplace1
television^f: S/tv 0/led_tv
piano^f: B/piano
guitar^f: 0/electricGuitar
aquarium^f: S/aquarium
water cooler^f: S/water_cooler
safe^f: B/sef-kasa
wheelchair^f: B/wheelchair
ironing rack^f: S/clothes-horse
plant^f: S/maceta S/ficus B/mediumIndoorPlant B/spatifilum B/yuccaPlant B/decorativePlant 0/decorativePlant 0/plant
oven^f: B/largeStove 0/doubleOven
table^f: S/table4 S/white_kitchen_table B/table 0/oakTable S/wooden_table_office S/round-table
desk^f: B/biurko3 B/simpleDesk B/officeTable 0/lbDesk
coffee table^f: S/saloon_table S/coffee_table B/coffeeTable S/coffee-table2 S/living_room_table
cat^f: S/cat B/siameseCat
dog^f: S/dog B/bulldog
rabbit^f: S/rabbit
chicken^f: 0/chicken
woman^f: R/female01 R/female02 R/female03 S/mannequinBrunette K/female-01-casual-clothing R/holdingFemale01=holding R/holdingFemale02=holding R/holdingFemale03=holding R/sitFemale01=sitting R/sitFemale02=sitting R/sitFemale03=sitting
man^f: R/male01 R/male02 R/male03 K/male-01-suit R/holdingMale01=holding R/sitMale01=sitting R/sitMale02=sitting R/sitMale03=sitting
boy^f: R/boyStanding R/boySitting=sitting
girl^f: R/girlStanding R/girlSittingTable=sitting R/girlSittingGround=sitting
socket^w: B/wallSocket B/wallDoubleSocket S/square-plug-TypeE S/plug-TypeE-whites S/rounded-plug-TypeE
"""


@dataclass(frozen=True, slots=True)
class Category:
    """What is true of every thing of a category unless its model says otherwise."""

    name: str
    attributes: tuple[str, ...]
    material: str
    density: float  # kg per litre of bounding box


def _parse_categories() -> dict[str, Category]:
    result = {}
    for line in _CATEGORIES.strip().splitlines():
        name, attributes, material, density = (w.strip() for w in line.split('|'))
        result[name] = Category(name, tuple(attributes.split()), material, float(density))
    return result


@dataclass(frozen=True, slots=True)
class Choice:
    """One catalogue model chosen for a category."""

    key: str
    category: str
    place: str  # t table, f floor, w wall
    state: str


def _parse_models() -> list[Choice]:
    result = []
    for line in _MODELS.strip().splitlines():
        head, models = line.split(':')
        category, place = head.split('^')
        for word in models.split():
            name, _, state = word.partition('=')
            code, _, folder = name.partition('/')
            if folder:
                result.append(Choice(f'{LIBRARIES[code]}/{folder}', category, place, state))
    return result


CATEGORIES = _parse_categories()
CHOICES = _parse_models()
